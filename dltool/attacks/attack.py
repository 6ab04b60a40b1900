"""The base of all attacks: perturbations of pixels within a ball, so that a classifier errs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.attacks.ball import Ball
from dltool.core.errors import ConfigError, RunError
from dltool.core.place import place_of_function
from dltool.declarations.component import NonNegative, Positive

Classifier = Callable[[Tensor], Tensor]  # Logits `(B, K)` of pixels in [0, 1].
Objective = Callable[[Tensor, Tensor], Tensor]  # The maximized values `(B,)` of logits `(B, K)` and labels `(B,)`.


class Attack(ABC):
    """Base of all attacks. They take pixels in [0, 1], whatever the scaling of the model's inputs.

    A subclass implements `attack`; `dltool init --example attack` writes a complete one.

    Random numbers come from torch's default generators. Attacks are untargeted: any wrong class counts.

    Args:
        norm: The norm that measures the size of a perturbation, "linf" or "l2".
        eps: Maximum size, for pixels in [0, 1]: 0.3 is usual for MNIST, 0.0314 (8/255) for CIFAR-10, both L∞.
        num_samples: How many samples of a split are attacked in an evaluation, the first ones; null is all.

    Raises:
        ConfigError: If an L∞ eps exceeds the range of pixels.
    """

    def __init__(
        self,
        *,
        norm: Literal["linf", "l2"] = "linf",
        eps: NonNegative[float] = 0.3,
        num_samples: Positive[int] | None = None,
    ) -> None:
        if norm == "linf" and eps > 1:
            raise ConfigError(
                f"attack.eps={eps:g} is more than the whole range of pixels, which is [0, 1] for every attack",
                f"attack.eps={eps / 255:.4f} for {eps:g}/255, or attack.norm=l2",
            )
        self.ball = Ball(norm, eps)
        self.num_samples = num_samples
        self._checked = False

    def __call__(
        self,
        classifier: Classifier,
        pixels: Tensor,
        labels: Tensor,
        *,
        objective: Objective | None = None,
        strength: float = 1.0,
    ) -> Tensor:
        """Attack images.

        Args:
            classifier: Maps pixels to logits `(B, K)`; in evaluation mode.
            pixels: `(B, C, H, W)` in [0, 1].
            labels: Their classes, int64 `(B,)`.
            objective: Maximized in place of the attack's own objective.
            strength: Share of eps, and of each step, that is used.

        Returns:
            The attacked pixels, in [0, 1] and at most eps away, without a graph.
        """
        with torch.enable_grad():  # All of it: autocast would cache weights that were cast without a graph.
            moved = self.attack(classifier, pixels.detach(), labels, objective or self.objective, strength)
        if not self._checked:
            self.check(pixels, moved, strength)
            self._checked = True
        return moved.detach()

    def check(self, pixels: Tensor, moved: object, strength: float) -> None:
        """Check the first result of an attack, which may be a user's own.

        Raises:
            RunError: It has another shape, is more than eps away, or is not in [0, 1].
        """
        place, hint = f"{place_of_function(self.attack)}: attack", "self.ball.scaled(strength).around(pixels, …)"
        if not isinstance(moved, Tensor) or moved.shape != pixels.shape:
            found = tuple(moved.shape) if isinstance(moved, Tensor) else f"a {type(moved).__name__}"
            raise RunError(f"{place} returns {found} for pixels {tuple(pixels.shape)}", hint)
        size, allowed = self.ball.size(moved.detach() - pixels).max().item(), self.ball.scaled(strength).eps
        low, high = moved.min().item(), moved.max().item()
        if not size <= allowed * 1.001 + 1e-5 or not 0 <= low <= high <= 1:
            raise RunError(
                f"{place} returns pixels in [{low:.4g}, {high:.4g}] that are {size:.4g} away, but they must be in "
                f"[0, 1] and at most {allowed:.4g} away",
                hint,
            )

    @abstractmethod
    def attack(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        """Compute attacked pixels, which `self.ball.scaled(strength).around(pixels, …)` keeps at most eps away.

        Args:
            classifier: Maps pixels to logits `(B, K)`; in evaluation mode.
            pixels: `(B, C, H, W)` in [0, 1].
            labels: Their classes, int64 `(B,)`.
            objective: To be maximized: a value for each sample, `(B,)`, of logits and labels.
            strength: Share of eps, and of each step, that is used.
        """

    def objective(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The cross-entropy of each sample."""
        return F.cross_entropy(logits, labels, reduction="none")

    def describe(self) -> str:
        """The norm and size of the attack, for the log."""
        norm = {"linf": "L∞", "l2": "L2"}[self.ball.norm]
        return f"{norm} eps {self.ball.eps:g}"


def input_gradient(classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective) -> Tensor:
    """The gradient of the objective by the pixels, `(B, C, H, W)`; no weight's gradient is computed or changed."""
    pixels = pixels.detach().requires_grad_()
    gradient: Tensor = torch.autograd.grad(objective(classifier(pixels), labels).sum(), pixels)[0]
    return gradient
