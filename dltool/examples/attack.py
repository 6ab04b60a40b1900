"""An attack on a classifier of images: one step towards the class that it finds least likely.

To run it, then to use the run:

    dltool train --trust attack.py attack=least_likely attack.eps=0.2 model=mlp trainer.epochs=3
    dltool train --trust attack.py attack=least_likely attack.eps=0.2 task=adversarial
    dltool evaluate --trust attack.py RUN attack.eps=0.3 --plots plots
"""

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from dltool.attacks.attack import Attack, Classifier, Objective, input_gradient
from dltool.declarations.component import Positive, register


@register("attack", "least_likely")
class LeastLikely(Attack):
    """x - eps sign(∇ cross-entropy of the least likely class) (Kurakin et al. 2017, arXiv:1611.01236, "step l.l.").

    Args:
        step: Length of the step, as a multiple of eps.
        shared: The keys of every attack, with `**shared: Any`: norm, eps, num_samples.
    """

    def __init__(self, *, step: Positive[float] = 1.0, **shared: Any) -> None:
        super().__init__(**shared)
        self.step = step

    # Pixels are in [0, 1], whatever the model's scaling: the classifier scales them itself. It is in evaluation mode.
    # `labels` and `objective` are for untargeted attacks, which maximize objective(logits, labels).
    def attack(
        self, classifier: Classifier, pixels: Tensor, labels: Tensor, objective: Objective, strength: float
    ) -> Tensor:
        ball = self.ball.scaled(strength)  # The changes that eps allows; strength grows from 0 to 1 in a warm-up.
        goal = classifier(pixels).detach().argmin(1)  # (B,)
        uphill = input_gradient(classifier, pixels, goal, cross_entropies)  # (B, C, H, W)
        # `around` moves the result into the ball and into [0, 1].
        return ball.around(pixels, pixels - self.step * ball.eps * ball.steepest(uphill))

    def describe(self) -> str:
        """The name in the log."""
        return f"least likely class, {super().describe()}"


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """One value per sample, `(B,)`."""
    return F.cross_entropy(logits, labels, reduction="none")
