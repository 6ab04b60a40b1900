"""One image through a network from elsewhere: what sizes it takes, nobody but the network can say."""

from collections.abc import Callable

import torch
from torch import nn

from dltool.errors import ConfigError
from dltool.spec import DataSpec


def built_for(spec: DataSpec, construct: Callable[[], nn.Module], name: str, side: int) -> nn.Module:
    """The network, once it has taken an image of the data's size.

    Args:
        spec: Of the data.
        construct: Makes the network.
        name: The override that chose it, for the message.
        side: Height and width in pixels that it takes in any case, for the hint.

    Raises:
        ConfigError: It cannot be built for such images, or takes none of them.
    """
    try:
        model = construct().eval()
        with torch.no_grad():
            model(torch.zeros(1, *spec.input_shape, device=next(model.parameters()).device))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = " ".join((str(error).splitlines() or [type(error).__name__])[0].split())
        raise ConfigError(
            f"{name} takes no images of {spec.describe_input()}: {reason}",
            f"data.resize={side}, or for a folder of images data.size={side}",
        ) from error
    return model.train()
