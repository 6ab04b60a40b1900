"""An attack on a model, in training and while it is measured."""

from typing import NamedTuple

from torch import Tensor, nn

from dltool.attacks.attack import Attack, Objective
from dltool.attacks.pixels import Pixels
from dltool.core.spec import DataSpec
from dltool.layers.evaluation_mode import evaluation_mode

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

    def first(self) -> "Examples":
        """At most NUM_EXAMPLES of them."""
        return Examples(*(values[:NUM_EXAMPLES].detach().clone() for values in self))


class Adversary:
    """Stands between an attack, to which images are pixels in [0, 1], and a model, to which they are scaled inputs.

    Args:
        attack: What is done to the pixels.
        spec: Of the data.

    Attributes:
        num_attacked: Samples of the newest evaluation.

    Raises:
        ConfigError: As Pixels does.
    """

    def __init__(self, attack: Attack, spec: DataSpec) -> None:
        self.attack = attack
        self.pixels = Pixels(spec)
        self.num_attacked = 0

    def start(self) -> None:
        """Before the first batch of a split."""
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
        """The inputs after the attack, without a graph; the model is in evaluation mode meanwhile.

        So batch norm's running statistics and dropout have no part in it, and no gradient of a weight is touched.
        """
        classifier, pixels = self.pixels.classifier(model), self.pixels.of(inputs)
        with evaluation_mode(model):
            moved = self.attack(classifier, pixels, labels, objective=objective, strength=strength)
        return self.pixels.scaled(moved)

    def describe(self) -> str:
        """What was done to how many samples."""
        few = f", the first {self.num_attacked:,} samples" if self.attack.num_samples is not None else ""
        return f"{self.attack.describe()} in pixels of [0, 1]{few}"
