"""Initial weights that a config states number by number: `model.initial`."""

from collections.abc import Sequence

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.declarations.component import Array


@torch.no_grad()
def set_initial(model: nn.Module, values: Sequence[Array]) -> None:
    """Set every parameter, in place, to the given numbers, rounded to the parameter's own type.

    Args:
        model: Its parameters in the order of its state dict; one that several modules share counts once.
        values: For each parameter its numbers as nested lists of its shape.

    Raises:
        ConfigError: There are more or fewer values than parameters, or one has another shape.
    """
    parameters = dict(model.named_parameters())
    shapes = ", ".join(f"{name} {size(parameter.shape)}" for name, parameter in parameters.items())
    hint = f"the parameters are {shapes}"
    if len(values) < len(parameters):
        missing = list(parameters)[len(values)]
        problem = f"model.initial ends before the parameter {missing}, of shape {size(parameters[missing].shape)}"
        raise ConfigError(problem, hint)
    if len(values) > len(parameters):
        raise ConfigError(f"model.initial has {len(values)} values for {len(parameters)} parameters", hint)
    for place, (name, parameter) in enumerate(parameters.items()):
        shape = shape_of(values[place])
        if shape != tuple(parameter.shape):
            found = "lists of different lengths" if shape is None else f"the shape {size(shape)}"
            raise ConfigError(
                f"model.initial[{place}] has {found}, but the parameter {name} has {size(parameter.shape)}", hint
            )
        parameter.copy_(torch.tensor(values[place], dtype=torch.float64))


def shape_of(values: Array) -> tuple[int, ...] | None:
    """The shape of nested lists; None if lists side by side have different shapes."""
    if not isinstance(values, list):
        return ()
    shapes = {shape_of(one) for one in values}
    inner = shapes.pop() if shapes else ()
    return None if shapes or inner is None else (len(values), *inner)


def size(shape: Sequence[int]) -> str:
    """ "2×3"; "()" of a single number."""
    return "×".join(map(str, shape)) or "()"
