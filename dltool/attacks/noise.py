"""Random perturbations, the control for an attack."""

from typing import Any

from torch import Tensor

from dltool.attacks.attack import Attack, Classifier, Objective
from dltool.declarations.component import register


@register("attack", "noise")
class Noise(Attack):
    """A random perturbation of the maximum size: ±eps for each value in L∞, a random direction in L2.

    The accuracy that a model loses to it is due to noise; what an attack of the same eps costs in addition is due to
    the adversary.

    Args:
        shared: See Attack.
    """

    def __init__(self, **shared: Any) -> None:
        super().__init__(**shared)

    def attack(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        del classifier, labels, objective
        ball = self.ball.scaled(strength)
        return ball.around(pixels, pixels + ball.surface(pixels))

    def describe(self) -> str:
        return f"random noise, {super().describe()}"
