"""Projected gradient ascent of the loss, and with it the basic iterative method."""

from typing import Any

import torch
from torch import Tensor

from dltool.attacks.attack import Attack, Classifier, Objective, input_gradient
from dltool.core.numerals import counted
from dltool.declarations.component import Positive, register


@register("attack", "pgd")
class PGD(Attack):
    """Steps of steepest ascent of the cross-entropy, each projected onto the ball (Madry et al. 2018,
    arXiv:1706.06083, section 2.1).

    Without random start and restarts it is the basic iterative method (`bim`; Kurakin et al. 2017, arXiv:1607.02533).
    Of several restarts, each sample keeps the worst: one that fools the classifier before one that does not, then
    the largest objective. The result of each restart is its last point, as in the paper.

    Args:
        steps: Steps per restart.
        step_size: Length of a step, for pixels in [0, 1]; null is 2.5 eps / steps, which can reach every point of the
            ball (appendix of the paper, CIFAR-10).
        random_start: Begin at a point drawn uniformly from the ball; without it, all restarts are equal.
        restarts: Number of attempts.
        shared: See Attack.
    """

    def __init__(
        self,
        *,
        steps: Positive[int] = 40,
        step_size: Positive[float] | None = None,
        random_start: bool = True,
        restarts: Positive[int] = 1,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.steps = steps
        self.step_size = 2.5 * self.ball.eps / steps if step_size is None else step_size
        self.random_start = random_start
        self.restarts = restarts

    def attack(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        worst = self.climb(classifier, pixels, labels, objective, strength)
        if self.restarts == 1:
            return worst
        fooled, height = self.evaluate_attack(classifier, worst, labels, objective)
        for _ in range(self.restarts - 1):
            moved = self.climb(classifier, pixels, labels, objective, strength)
            now_fooled, now_height = self.evaluate_attack(classifier, moved, labels, objective)
            worse = torch.where(now_fooled == fooled, now_height > height, now_fooled)  # (B,)
            worst = torch.where(worse[:, None, None, None], moved, worst)
            fooled, height = fooled | now_fooled, torch.where(worse, now_height, height)
        return worst

    def climb(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        """One restart."""
        ball, step_size = self.ball.scaled(strength), strength * self.step_size
        moved = ball.around(pixels, pixels + ball.inside(pixels)) if self.random_start else pixels
        for _ in range(self.steps):
            gradient = input_gradient(classifier, moved, labels, objective)
            moved = ball.around(pixels, moved + step_size * ball.steepest(gradient))
        return moved

    @staticmethod
    def evaluate_attack(
        classifier: Classifier, moved: Tensor, labels: Tensor, objective: Objective
    ) -> tuple[Tensor, Tensor]:
        """Whether each sample fools the classifier, and its objective, both `(B,)`."""
        logits = classifier(moved).detach()
        return logits.argmax(1) != labels, objective(logits, labels)

    def describe(self) -> str:
        times = f" × {self.restarts} restarts" if self.restarts > 1 else ""
        name = "pgd" if self.random_start else "bim"
        return f"{name}, {counted(self.steps, 'step')} of {self.step_size:.3g}{times}, {super().describe()}"
