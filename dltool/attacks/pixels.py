"""Scaled inputs as the pixels that they are, which is how an adversary sees them."""

import torch
from torch import Tensor, nn

from dltool.attacks.attack import Classifier
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec


class Pixels:
    """To pixels in [0, 1] and back to what a model takes, whatever data.scaling made of them.

    Args:
        spec: Of the data; says how its pixels were scaled.

    Raises:
        ConfigError: The data is no images, or its targets are no classes.
    """

    def __init__(self, spec: DataSpec) -> None:
        if not spec.pixel_factor:
            raise ConfigError(
                "an attack changes pixels within their range, and the inputs of this data are none",
                "attack=none, or images: data=digits",
            )
        if spec.target not in ("classes", "binary"):
            raise ConfigError(
                "this data's targets are no classes, for another of which an attack could have an image taken",
                "attack=none, or data=digits",
            )
        self.spec = spec
        self._scaling: tuple[Tensor, Tensor] | None = None  # Shift and factor, on the device of the inputs.

    def of(self, inputs: Tensor) -> Tensor:
        """What the model takes as pixels in [0, 1]."""
        shift, factor = self.scaling(inputs)
        return ((inputs / factor + shift) / 255).clamp(0, 1)

    def scaled(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1] as the model takes them."""
        shift, factor = self.scaling(pixels)
        return (255 * pixels - shift) * factor

    def classifier(self, model: nn.Module) -> Classifier:
        """The model as an attack sees it: the normalisation is inside, and there are two or more logits."""
        return lambda pixels: as_logits(model(self.scaled(pixels)).float())

    def scaling(self, like: Tensor) -> tuple[Tensor, Tensor]:
        if self._scaling is None or self._scaling[0].device != like.device:
            shift, factor = (
                torch.tensor(values, device=like.device).view(1, -1, 1, 1)
                for values in (self.spec.pixel_shift, self.spec.pixel_factor)
            )
            self._scaling = shift, factor
        return self._scaling


def as_logits(outputs: Tensor) -> Tensor:
    """Outputs `(B, K)` as they are; `(B, 1)`, where a positive one means class 1, as two logits that say the same."""
    return outputs if outputs.shape[1] > 1 else torch.cat([torch.zeros_like(outputs), outputs], dim=1)
