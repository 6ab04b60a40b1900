"""The fast gradient sign method."""

from typing import Any

from torch import Tensor

from dltool.attacks.attack import Attack, Classifier, Objective, input_gradient
from dltool.declarations.component import Positive, register


@register("attack", "fgsm")
class FGSM(Attack):
    """One step, x + eps sign(∇ loss) (Goodfellow et al. 2015, arXiv:1412.6572, section 4); along the gradient in L2.

    With random_start=true and step=1.25 it is the attack of fast adversarial training (Wong et al. 2020,
    arXiv:2001.03994, algorithm 3). Deviations: the random start is clipped to [0, 1] before the gradient is
    computed, and the gradient is computed in evaluation mode.

    Args:
        random_start: Begin at a point drawn uniformly from the ball, not at the image.
        step: Length of the step, as a multiple of eps; the result is projected onto the ball.
        shared: See Attack.
    """

    def __init__(self, *, random_start: bool = False, step: Positive[float] = 1.0, **shared: Any) -> None:
        super().__init__(**shared)
        self.random_start = random_start
        self.step = step

    def attack(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        ball = self.ball.scaled(strength)
        start = ball.around(pixels, pixels + ball.inside(pixels)) if self.random_start else pixels
        gradient = input_gradient(classifier, start, labels, objective)
        return ball.around(pixels, start + self.step * ball.eps * ball.steepest(gradient))

    def describe(self) -> str:
        return f"fgsm{' from a random start' if self.random_start else ''}, {super().describe()}"
