"""A trial forward pass of one sample through a network: only this shows which inputs an external model accepts."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.core.spec import DataSpec


def built_for(spec: DataSpec, construct: Callable[[], nn.Module], name: str, side: int) -> nn.Module:
    """Build the network and check that it accepts an image of the data's size.

    Args:
        spec: Of the data.
        construct: Builds the network.
        name: The override that chose it, for the message.
        side: Height and width in pixels that it always accepts, for the hint.

    Raises:
        ConfigError: If it cannot be built for such images, or does not accept them.
    """
    try:
        model = construct().eval().to(torch.get_default_device())  # On the meta device it costs almost nothing.
        with torch.no_grad():
            model(torch.zeros(1, *spec.input_shape, device=next(model.parameters()).device))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = " ".join((str(error).splitlines() or [type(error).__name__])[0].split())
        raise ConfigError(
            f"{name} does not accept images of {spec.describe_input()}: {reason}",
            f"{setting('data.resize', side)}, or for a folder of images {setting('data.size', side)}",
        ) from error
    return model.train()


def check_outputs(
    model: nn.Module, spec: DataSpec, name: str, inputs: Sequence[Tensor] = (), positions: tuple[int, ...] = ()
) -> None:
    """Check that a model's last layer is as wide as the data and the loss need: larger labels would have no output.

    Args:
        model: On any device; its mode is unchanged.
        spec: Of the data.
        name: The override that chose it, for the message.
        inputs: The arguments of its forward for one sample; empty for zeros of the data's shape.
        positions: Dimensions of the outputs between the sample and the outputs of the last layer.

    Raises:
        ConfigError: If a sample does not give `spec.output_dim` numbers at each position.
    """
    inputs = inputs or (torch.zeros(1, *spec.input_shape),)
    was_training = model.training
    try:
        with torch.no_grad():
            device = next(model.parameters()).device
            outputs = model.eval()(*(one.to(device) for one in inputs))
    except Exception:  # User code may raise anything for an artificial sample; the first step will report it.
        return
    finally:
        model.train(was_training)
    wanted = [(1, *positions, spec.output_dim)] + [(1,)] * (spec.output_dim == 1)
    if not isinstance(outputs, Tensor) or tuple(outputs.shape) not in wanted:
        given = tuple(outputs.shape) if isinstance(outputs, Tensor) else f"a {type(outputs).__name__}"
        classes = f", whose classes are {spec.num_classes}" if spec.num_classes else ""
        raise ConfigError(
            f"{name} outputs {given} for one sample, and for this data{classes}, it must output {wanted[0]}",
            "the width of its last layer must be spec.output_dim: nn.Linear(…, spec.output_dim)",
        )
