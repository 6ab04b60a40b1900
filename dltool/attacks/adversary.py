"""An attack on a model whose inputs are scaled pixels, and what is kept of it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dltool.attacks.attack import Attack, Classifier, Objective
from dltool.errors import ConfigError
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.spec import DataSpec

NUM_EXAMPLES = 8


class Examples(NamedTuple):
    """Some samples before and after an attack, and what the model says of both.

    Attributes:
        clean, attacked: Pixels in [0, 1], `(N, C, H, W)`.
        targets: Their classes, int64 `(N,)`.
        clean_outputs, attacked_outputs: The model's, `(N, output_dim)`.
    """

    clean: Tensor
    attacked: Tensor
    targets: Tensor
    clean_outputs: Tensor
    attacked_outputs: Tensor


class Adversary:
    """Stands between an attack, to which images are pixels in [0, 1], and a model, to which they are scaled inputs.

    Args:
        attack: What is done to the pixels.
        spec: Of the data; says how its pixels were scaled.

    Attributes:
        examples: The first samples of the newest evaluation; None before one.

    Raises:
        ConfigError: The data is no images of known pixels, or its targets are no classes.
    """

    def __init__(self, attack: Attack, spec: DataSpec) -> None:
        if not spec.pixel_factor:
            raise ConfigError(
                "an attack changes pixels within their range, and the inputs of this data are none",
                "attack=none, or images: data=digits",
            )
        if spec.target not in ("classes", "binary"):
            raise ConfigError("this data's targets are no classes, which an attack could have mistaken", "attack=none")
        self.attack = attack
        self.spec = spec
        self.examples: Examples | None = None
        self.num_attacked = 0
        self._scaling: tuple[Tensor, Tensor] | None = None  # Shift and factor, on the device of the inputs.

    def start(self) -> None:
        """Before the first batch of a split."""
        self.examples = None
        self.num_attacked = 0

    def num_wanted(self, count: int) -> int:
        """How many of the next `count` samples of a split are to be attacked; counts them."""
        limit = self.attack.num_samples
        wanted = count if limit is None else min(count, limit - self.num_attacked)
        self.num_attacked += wanted
        return wanted

    def attacked(
        self,
        model: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        *,
        objective: Objective | None = None,
        strength: float = 1.0,
    ) -> Tensor:
        """The inputs after the attack, without a graph; the model is in evaluation mode meanwhile.

        So batch norm's running statistics and dropout have no part in it, and no gradient of a weight is touched.
        """
        with evaluation_mode(model):
            moved = self.attack(
                self.on_pixels(model), self.to_pixels(inputs), labels, objective=objective, strength=strength
            )
        return self.to_inputs(moved)

    def see(
        self, inputs: Tensor, attacked: Tensor, targets: Tensor, outputs: Tensor, attacked_outputs: Tensor
    ) -> Tensor:
        """Keep the first samples of an evaluation; returns the size of each perturbation, `(B,)`."""
        clean, moved = self.to_pixels(inputs), self.to_pixels(attacked)
        if self.examples is None:
            shown = (clean, moved, targets, outputs.detach(), attacked_outputs.detach())
            self.examples = Examples(*(values[:NUM_EXAMPLES].clone() for values in shown))
        return self.attack.ball.size(moved - clean)

    def describe(self) -> str:
        """What was done to how many samples."""
        limit = self.attack.num_samples
        few = f", the first {self.num_attacked:,} samples" if limit is not None else ""
        return f"{self.attack.describe()} in pixels of [0, 1]{few}"

    def on_pixels(self, model: nn.Module) -> Classifier:
        """The model as an attack sees it: the normalisation is inside, and there are two or more logits."""
        return lambda pixels: as_logits(model(self.to_inputs(pixels)).float())

    def to_pixels(self, inputs: Tensor) -> Tensor:
        """What the model takes as pixels in [0, 1]."""
        shift, factor = self.scaling(inputs)
        return ((inputs / factor + shift) / 255).clamp(0, 1)

    def to_inputs(self, pixels: Tensor) -> Tensor:
        """Pixels in [0, 1] as the model takes them."""
        shift, factor = self.scaling(pixels)
        return (255 * pixels - shift) * factor

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
