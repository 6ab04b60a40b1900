"""An attack on a model, in training and in evaluation."""

from typing import NamedTuple

from torch import Tensor, nn

from dltool.attacks.attack import Attack, Objective
from dltool.attacks.pixels import Pixels
from dltool.core.spec import DataSpec
from dltool.layers.evaluation_mode import evaluation_mode

NUM_EXAMPLES = 8


class Examples(NamedTuple):
    """Some samples before and after an attack, with the model's outputs for both.

    Attributes:
        clean, attacked: Pixels in [0, 1], `(N, C, H, W)`.
        targets: Their classes, int64 `(N,)`.
        clean_outputs, attacked_outputs: The model's outputs, `(N, output_dim)`.
    """

    clean: Tensor
    attacked: Tensor
    targets: Tensor
    clean_outputs: Tensor
    attacked_outputs: Tensor

    def first(self) -> "Examples":
        """The first NUM_EXAMPLES of them, at most."""
        return Examples(*(values[:NUM_EXAMPLES].detach().clone() for values in self))


class Adversary:
    """Connects an attack, which takes pixels in [0, 1], with a model, which takes scaled inputs.

    Args:
        attack: The attack on the pixels.
        spec: Of the data.

    Attributes:
        num_attacked: Samples attacked in the last evaluation.

    Raises:
        ConfigError: The same as Pixels.
    """

    def __init__(self, attack: Attack, spec: DataSpec) -> None:
        self.attack = attack
        self.pixels = Pixels(spec)
        self.num_attacked = 0

    def start(self) -> None:
        """Reset the counts before the first batch of a split."""
        self.num_attacked = 0

    def num_requested(self, count: int) -> int:
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
        """The inputs after the attack, without a graph; the model is in evaluation mode during the attack.

        So batch norm's running statistics and dropout are not involved, and no weight's gradient changes.
        """
        classifier, pixels = self.pixels.classifier(model), self.pixels.of(inputs)
        with evaluation_mode(model):
            moved = self.attack(classifier, pixels, labels, objective=objective, strength=strength)
        return self.pixels.scaled(moved)

    def describe(self) -> str:
        """The attack and the number of attacked samples, as text."""
        few = f", the first {self.num_attacked:,} samples" if self.attack.num_samples is not None else ""
        return f"{self.attack.describe()} in pixels of [0, 1]{few}"
