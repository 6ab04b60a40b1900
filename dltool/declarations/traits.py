"""The traits that a registration declares, `@register("model", "mlp", inputs="any", tasks=("supervised",))`.

Rules and automatic choices read them without importing the component. They are the same for dltool's own components and
for a user's. A trait without a default is required; a group without a class here has no traits.
"""

import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

Inputs = Literal["image", "vector", "sequence"]
Targets = Literal["classes", "binary", "numbers", "tags", "next_token", "sequence", "images", "none", "labels"]
Head = Literal["classes", "one", "numbers", "targets"]
Direction = Literal["min", "max"]
Side = int | dict[str, int]  # In pixels; or per `arch` of the model, with "*" for all others.

NOUNS = {int: "an integer", bool: "True or False", str: "a string", type(None): "None"}


class UnreadableTrait(ValueError):
    """A trait is missing or unknown, or its value is not allowed.

    Args:
        trait: Its name; None if traits are missing.
        problem: The end of a sentence that starts with the component or the trait.
        hint: What to write, if known.
    """

    def __init__(self, trait: str | None, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.trait = trait
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class Traits:
    """The traits of a component whose group has none."""

    def missing(self) -> list[str]:
        """The required traits that are missing, given the values of the others."""
        return []


@dataclass(frozen=True, kw_only=True)
class ModelTraits(Traits):
    """The inputs of a model and the tasks that train it.

    Attributes:
        inputs: Accepted inputs: "image" `(B, C, H, W)`, "vector" `(B, D)`, "sequence", several of them, or "any" for
            images and vectors of any size.
        tasks: The tasks that can train it.
        min_size: The smallest side of an image that it accepts.
        native_size: The side to which smaller images are resized (data.resize=auto); defaults to `min_size`.
        photo_size: The side to which photographs are resized.
        batching: How a stream of text is batched for it: random crops, or columns that continue in the next batch.
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
    """The inputs and targets of a data set.

    Attributes:
        inputs: The kind of a sample.
        targets: The kind of target; "auto" if it is known only once the data is loaded.
        open_with: Keys that leave the kind of target open: if one of them is set, `targets` is "auto". A key that ends
            in [] counts only where its value is a list.
        two_classes: Whether the classes are known only once the data is loaded, so that there may be two.
        stacked: The data set of single images, if each sample stacks several of them as channels.
    """

    inputs: Inputs
    targets: Targets | Literal["auto"]
    open_with: tuple[str, ...] = ()
    two_classes: bool = False
    stacked: str | None = None


@dataclass(frozen=True, kw_only=True)
class LossTraits(Traits):
    """The tasks and targets of a loss.

    Attributes:
        tasks: The tasks that minimize it.
        targets: The kinds of target that it accepts, for tasks whose loss follows the data.
        head: The width of the model's output: one per class ("classes"), "one" (one per label, where a sample has
            several), one per number of the target ("numbers"), or the width of the "targets"; required with `targets`.
        default_for: The targets, or the purposes of tasks (`loss_for`), for which `loss=auto` selects it.
    """

    tasks: tuple[str, ...]
    targets: tuple[Targets, ...] = ()
    head: Head | None = None
    default_for: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        return ["head"] if self.targets and self.head is None else []


@dataclass(frozen=True, kw_only=True)
class TaskTraits(Traits):
    """How a task combines with the other components.

    Attributes:
        loss_for: What determines its loss: the "data"; a purpose such as "gan"; "own" for a task with its own
            objective, and None for a task that also needs no optimizer.
        like: The task whose models and losses it also accepts.
        head: The width of the model's output, for a task without a loss; see LossTraits.
        pixels: The range of pixels that it needs, [0, 1] or [-1, 1].
        attacked: Whether its evaluations support attacks (`attack=pgd`).
    """

    loss_for: str | None
    like: str | None = None
    head: Head | None = None
    pixels: Literal["unit", "symmetric"] | None = None
    attacked: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricTraits(Traits):
    """The inputs, direction and reported values of a metric.

    Attributes:
        of: What it is computed from: a model's outputs, or the samples of a generative model.
        targets: The kinds of target that it supports; required for a metric of outputs.
        needs: What a metric of samples needs of them.
        direction: Whether less or more is better; per value if it reports several.
        reports: The names of its values, if they differ from its own name; per network if they depend on one.
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
    """The complete traits of a component.

    Raises:
        UnreadableTrait: A trait is missing or unknown, or its value is not allowed.
    """
    kind = TRAITS.get(group, Traits)
    allowed = annotations(group)
    for name, value in stated.items():
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise UnreadableTrait(name, f" is not a trait of the group {group}; its traits: {known}")
        if not fits(value, allowed[name]):
            text = isinstance(value, str) and any(get_origin(one) is tuple for one in alternatives(allowed[name]))
            hint = name + f'=("{value}",)' if text and fits((value,), allowed[name]) else None
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
    """The name of each trait of a group, with the type of its values."""
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
    """The values of a type, as text."""
    literals = [value for one in alternatives(hint) if get_origin(one) is Literal for value in get_args(one)]
    texts = [f"one of {', '.join(literals)}"] if literals else []
    for one in alternatives(hint):
        arguments = get_args(one)
        if get_origin(one) is tuple:
            items = "strings" if arguments[0] is str else describe(arguments[0]).removeprefix("one of ")
            texts.append(f"a tuple of {items}, with its comma,")
        elif get_origin(one) is dict:
            texts.append(f"a dict from strings to {describe(arguments[1])}")
        elif one in NOUNS and one is not type(None):
            texts.append(NOUNS[one])
    return " or ".join(texts)
