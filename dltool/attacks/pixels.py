"""Conversion between scaled inputs and the pixels that an adversary changes."""

import torch
from torch import Tensor, nn

from dltool.attacks.attack import Classifier
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec


class Pixels:
    """Converts a model's inputs to pixels in [0, 1] and back, whatever the data.scaling.

    Args:
        spec: Of the data; its pixel_shift and pixel_factor describe the scaling.

    Raises:
        ConfigError: If the data is not images, or its targets are not classes.
    """

    def __init__(self, spec: DataSpec) -> None:
        if not spec.pixel_factor:
            raise ConfigError(
                "an attack changes pixels within their range, and the inputs of this data are not images",
                "attack=none, or images: data=digits",
            )
        if spec.target not in ("classes", "binary"):
            raise ConfigError(
                "an attack makes a classifier predict a wrong class, and this data's targets are not classes",
                "attack=none, or data=digits",
            )
        self.spec = spec
        self._scaling: tuple[Tensor, Tensor] | None = None  # Shift and factor, on the device of the inputs.

    def of(self, inputs: Tensor) -> Tensor:
        """The model's inputs as pixels in [0, 1]."""
        shift, factor = self.scaling(inputs)
        return ((inputs / factor + shift) / 255).clamp(0, 1)

    def scaled(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1] as the model's inputs."""
        shift, factor = self.scaling(pixels)
        return (255 * pixels - shift) * factor

    def classifier(self, model: nn.Module) -> Classifier:
        """The model as an attack sees it: the normalisation is inside, and it has two or more logits."""
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
    """Outputs `(B, K)` unchanged; `(B, 1)`, where a positive one means class 1, as two equivalent logits."""
    return outputs if outputs.shape[1] > 1 else torch.cat([torch.zeros_like(outputs), outputs], dim=1)
