"""The kinds of value that a field can have: which values fit, and their description for messages."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# The ranges of dltool.declarations.component, by their names in signatures.
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "Positive": (lambda x: x > 0, "> 0"),
    "NonNegative": (lambda x: x >= 0, ">= 0"),
    "Probability": (lambda x: 0 <= x <= 1, "in [0, 1]"),
    "Fraction": (lambda x: 0 <= x < 1, "in [0, 1)"),
    "PositiveProbability": (lambda x: 0 < x <= 1, "in (0, 1]"),
}


@dataclass(frozen=True)
class Misfit:
    """Why a value does not fit: the path below the field (".patience", "[2]"), and the allowed values there."""

    path: str
    value: Any
    allowed: str
    names: tuple[str, ...] = ()  # The valid names, if the value must be one of a set of names.
    unknown_key: bool = False


class Kind:
    """A set of values."""

    def misfit(self, value: Any) -> Misfit | None:
        """The reason why a value does not belong to this kind; None if it does."""
        return None if self.fits(value) else Misfit("", value, self.describe())

    def fits(self, value: Any) -> bool:
        return self.misfit(value) is None

    def describe(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Scalar(Kind):
    """int, float, bool or str, with an optional range. Numbers are finite; true is not a number."""

    type: str
    range: str | None = None

    def fits(self, value: Any) -> bool:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        match self.type:
            case "bool":
                return isinstance(value, bool)
            case "str":
                return isinstance(value, str)
            case "int":
                number = number and isinstance(value, int)
        if not number or not math.isfinite(value):
            return False
        return self.range is None or RANGES[self.range][0](value)

    def describe(self) -> str:
        noun = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "a string"}[self.type]
        return noun if self.range is None else f"{noun} {RANGES[self.range][1]}"


@dataclass(frozen=True)
class OneOf(Kind):
    """Literal["a", "b"], or None."""

    values: tuple[Any, ...]

    def misfit(self, value: Any) -> Misfit | None:
        if any(value == allowed and type(value) is type(allowed) for allowed in self.values):
            return None
        return Misfit("", value, self.describe(), tuple(v for v in self.values if isinstance(v, str)))

    def describe(self) -> str:
        names = ", ".join("null" if value is None else str(value) for value in self.values)
        return names if len(self.values) == 1 else f"one of {names}"


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of any length."""

    item: Kind

    def misfit(self, value: Any) -> Misfit | None:
        if not isinstance(value, list):
            return Misfit("", value, self.describe())
        return first_misfit((f"[{i}]", self.item, v) for i, v in enumerate(value))

    def describe(self) -> str:
        return f"a list, each item {self.item.describe()}"


@dataclass(frozen=True)
class ArrayOf(Kind):
    """Finite numbers in lists nested to any depth; a single number too."""

    def misfit(self, value: Any) -> Misfit | None:
        if isinstance(value, list):
            return first_misfit((f"[{i}]", self, v) for i, v in enumerate(value))
        return None if Scalar("float").fits(value) else Misfit("", value, self.describe())

    def describe(self) -> str:
        return "a number or nested lists of numbers"


@dataclass(frozen=True)
class TupleOf(Kind):
    """A list of fixed length, such as Adam's two betas."""

    items: tuple[Kind, ...]

    def misfit(self, value: Any) -> Misfit | None:
        if not isinstance(value, list) or len(value) != len(self.items):
            return Misfit("", value, self.describe())
        return first_misfit((f"[{i}]", kind, v) for i, (kind, v) in enumerate(zip(self.items, value, strict=True)))

    def describe(self) -> str:
        items = [kind.describe() for kind in self.items]
        if len({*items}) == 1:
            return f"a list of {len(items)}, each item {items[0]}"
        return f"a list of {len(items)}: {'; '.join(items)}"


@dataclass(frozen=True)
class DictOf(Kind):
    """A mapping from arbitrary names to values of one kind."""

    value: Kind

    def misfit(self, value: Any) -> Misfit | None:
        if not isinstance(value, dict):
            return Misfit("", value, self.describe())
        return first_misfit((f".{key}", self.value, v) for key, v in value.items())

    def describe(self) -> str:
        return f"a mapping, each value {self.value.describe()}"


@dataclass(frozen=True)
class AnyOf(Kind):
    """A union, X | Y. A misfit inside the only alternative of the right shape is reported at its path."""

    alternatives: tuple[Kind, ...]

    def misfit(self, value: Any) -> Misfit | None:
        misfits = [kind.misfit(value) for kind in self.alternatives]
        if None in misfits:
            return None
        deep = [misfit for misfit in misfits if misfit is not None and misfit.path]
        if len(deep) == 1:
            return deep[0]
        names = tuple(name for misfit in misfits if misfit for name in misfit.names)
        return Misfit("", value, self.describe(), names)

    def describe(self) -> str:
        return " or ".join(dict.fromkeys(kind.describe() for kind in self.alternatives))


REQUIRED = object()


@dataclass(frozen=True)
class Field:
    """One key of a component.

    Attributes:
        kind: The allowed values.
        default: The default, or REQUIRED.
        role: The role of a data set's key, if its signature declares one; see dltool.declarations.component.
    """

    kind: Kind
    default: Any
    role: str | None = None


@dataclass(frozen=True)
class Nested(Kind):
    """A settings dataclass below a key, `trainer.checkpoint.keep_last`."""

    module: str
    class_name: str
    fields: dict[str, Field]

    def misfit(self, value: Any) -> Misfit | None:
        if not isinstance(value, dict):
            return Misfit("", value, self.describe())
        for key in value:
            if key not in self.fields:
                return Misfit(f".{key}", value[key], ", ".join(self.fields), tuple(self.fields), unknown_key=True)
        return first_misfit((f".{key}", self.fields[key].kind, v) for key, v in value.items())

    def describe(self) -> str:
        return f"a mapping with the keys {', '.join(self.fields)}"


def first_misfit(items: Any) -> Misfit | None:
    """The first misfit among (path, kind, value), with its path prepended."""
    for path, kind, value in items:
        if misfit := kind.misfit(value):
            return Misfit(path + misfit.path, misfit.value, misfit.allowed, misfit.names, misfit.unknown_key)
    return None
