"""The facts that a registration states, `@register("model", "mlp", inputs="any", tasks=("supervised",))`.

Rules and automatic choices read them without importing the component. They are the same for dltool's own components and
for a user's. A fact without a default must be stated; a group that has no class here has no facts.
"""

import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

Inputs = Literal["image", "vector", "sequence"]
Targets = Literal["classes", "binary", "numbers", "tags", "next_token", "sequence", "images", "none"]
Head = Literal["classes", "one", "numbers", "targets"]
Direction = Literal["min", "max"]
Side = int | dict[str, int]  # In pixels; or by the model's `arch`, with "*" for all others.

NOUNS = {int: "a whole number", bool: "True or False", str: "a text", type(None): "None"}


class UnreadableTrait(ValueError):
    """A fact that is missing, unknown, or has a value that it cannot have.

    Args:
        trait: Its name; None where facts are missing.
        problem: What is wrong, as the end of a sentence that begins with the component or the fact.
        hint: What to write, where that is known.
    """

    def __init__(self, trait: str | None, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.trait = trait
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class Traits:
    """The facts of a component of a group that has none of its own."""

    def missing(self) -> list[str]:
        """The facts that are needed beside those that are stated."""
        return []


@dataclass(frozen=True, kw_only=True)
class ModelTraits(Traits):
    """What a model takes and who trains it.

    Attributes:
        inputs: What it takes: "image" `(B, C, H, W)`, "vector" `(B, D)`, "sequence", several of them, or "any" for
            images and vectors of any size.
        tasks: The tasks that can train it.
        min_size: The smallest side of an image that it takes.
        native_size: The side that smaller images are brought to (data.resize=auto); `min_size` where it is not stated.
        photo_size: The side that photographs are brought to.
        batching: How a stream of text is cut for it: crops that are drawn, or columns that go on in the next batch.
        published_by: The library whose published weights `model.weights` names.
    """

    inputs: Literal["any"] | Inputs | tuple[Inputs, ...]
    tasks: tuple[str, ...]
    min_size: Side | None = None
    native_size: Side | None = None
    photo_size: Side | None = None
    batching: Literal["crops", "columns"] = "crops"
    published_by: Literal["torchvision", "timm"] | None = None


@dataclass(frozen=True, kw_only=True)
class DataTraits(Traits):
    """What a data set gives.

    Attributes:
        inputs: What a sample is.
        targets: What is learned of it; "auto" where only the loaded data can say.
        stacked: The data set of single images, where each sample is some of them on top of each other.
    """

    inputs: Inputs
    targets: Targets | Literal["auto"]
    stacked: str | None = None


@dataclass(frozen=True, kw_only=True)
class LossTraits(Traits):
    """What a loss is for.

    Attributes:
        tasks: The tasks that minimize it.
        targets: The targets that it takes, of tasks whose loss follows the data.
        head: The width of the model's output: a number for each class, "one", one for each of the target's "numbers",
            or what the "targets" are; needed with `targets`.
        default_for: The targets, or the purposes of tasks (`loss_for`), for which `loss=auto` chooses it.
    """

    tasks: tuple[str, ...]
    targets: tuple[Targets, ...] = ()
    head: Head | None = None
    default_for: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        return ["head"] if self.targets and self.head is None else []


@dataclass(frozen=True, kw_only=True)
class TaskTraits(Traits):
    """How a task is put together with the rest.

    Attributes:
        loss_for: What its loss follows: the "data"; a purpose of its own, such as "gan"; "own" for a task with an
            objective of its own, and None for one that needs no optimizer either.
        like: The task whose models and losses it takes too.
        head: The width of the model's output, of a task without a loss; see LossTraits.
        pixels: The scale of images that it needs, [0, 1] or [-1, 1].
        attacked: Its evaluations can be attacked (`attack=pgd`).
    """

    loss_for: str | None
    like: str | None = None
    head: Head | None = None
    pixels: Literal["unit", "symmetric"] | None = None
    attacked: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricTraits(Traits):
    """What a metric measures.

    Attributes:
        of: What it is computed from: a model's outputs, or the samples of a generative one.
        targets: The targets that it is for; needed of a metric of outputs.
        needs: What a metric of samples needs of them.
        direction: Whether less or more is better; by the name of the value where it reports several.
        reports: The names of its values, where they are not its own name; by the network where they depend on one.
    """

    of: Literal["outputs", "samples"] = "outputs"
    targets: tuple[Targets, ...] = ()
    needs: Literal["features", "classes", "labels", "pixels"] | None = None
    direction: Direction | dict[str, Direction] | None = None
    reports: tuple[str, ...] | dict[str, tuple[str, ...]] | None = None

    def missing(self) -> list[str]:
        stated = self.targets if self.of == "outputs" else self.needs
        return [] if stated else ["targets" if self.of == "outputs" else "needs"]


TRAITS: dict[str, type[Traits]] = {
    "model": ModelTraits,
    "data": DataTraits,
    "loss": LossTraits,
    "task": TaskTraits,
    "metric": MetricTraits,
}


def make_traits(group: str, stated: Mapping[str, Any]) -> Traits:
    """The facts of a component, complete.

    Raises:
        UnreadableTrait: One is missing or unknown, or its value is none that it can have.
    """
    kind = TRAITS.get(group, Traits)
    allowed = annotations(group)
    for name, value in stated.items():
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise UnreadableTrait(name, f" is no fact of the group {group}; those are {known}")
        if not fits(value, allowed[name]):
            text = isinstance(value, str) and any(get_origin(one) is tuple for one in alternatives(allowed[name]))
            hint = f'{name}=("{value}",)' if text and fits((value,), allowed[name]) else None
            raise UnreadableTrait(name, f"={value!r}: {describe(allowed[name])} is needed", hint)
    needed = [one.name for one in fields(kind) if one.default is MISSING and one.name not in stated]
    if needed:
        raise UnreadableTrait(None, f"does not state {' and '.join(needed)}")
    traits = kind(**stated)
    if needed := traits.missing():
        raise UnreadableTrait(None, f"does not state {' and '.join(needed)}")
    return traits


@cache
def annotations(group: str) -> dict[str, Any]:
    """The name of each fact of a group, with the type of its values."""
    return typing.get_type_hints(TRAITS.get(group, Traits))


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in (typing.Union, UnionType) else (hint,)


def fits(value: Any, hint: Any) -> bool:
    """Whether a literal is of a type."""
    return any(fits_one(value, one) for one in alternatives(hint))


def fits_one(value: Any, hint: Any) -> bool:
    arguments = get_args(hint)
    match get_origin(hint):
        case typing.Literal:
            return any(value == allowed and type(value) is type(allowed) for allowed in arguments)
        case origin if origin is tuple:
            return isinstance(value, tuple) and all(fits(item, arguments[0]) for item in value)
        case origin if origin is dict:
            pairs = value.items() if isinstance(value, dict) else [(None, None)]
            return all(fits(key, arguments[0]) and fits(item, arguments[1]) for key, item in pairs)
    return type(value) is hint


def describe(hint: Any) -> str:
    """The values of a type, in words."""
    literals = [value for one in alternatives(hint) if get_origin(one) is Literal for value in get_args(one)]
    texts = [f"one of {', '.join(literals)}"] if literals else []
    for one in alternatives(hint):
        arguments = get_args(one)
        if get_origin(one) is tuple:
            items = "texts" if arguments[0] is str else describe(arguments[0]).removeprefix("one of ")
            texts.append(f"a tuple of {items}, with its comma,")
        elif get_origin(one) is dict:
            texts.append(f"a dict from texts to {describe(arguments[1])}")
        elif one in NOUNS and one is not type(None):
            texts.append(NOUNS[one])
    return " or ".join(texts)
