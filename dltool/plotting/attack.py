"""A classifier of images under the fast gradient sign method: its loss along directions, its accuracy against ε."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dltool.attacks.adversary import Adversary
from dltool.attacks.attack import Classifier, input_gradient
from dltool.attacks.fgsm import FGSM
from dltool.attacks.pixels import Pixels
from dltool.core.errors import ConfigError
from dltool.core.randomness import generator
from dltool.figures.attack import AttackView, attack_curves
from dltool.figures.words import word
from dltool.inference.evaluation import chosen_split
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

SIZES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)  # ε, for pixels in [0, 1].
ALONG = 41  # Places along each direction.
NUM_RANDOM = 5  # Directions.
NUM_SAMPLES = 256  # For the loss along directions.


class AttackFigure:
    """The loss along ± sign ∇ₓL and along random signs; the accuracy under FGSM of several sizes."""

    name = "attack"
    summary = "an image classifier's loss along the gradient's signs and random ones, its accuracy under FGSM"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not subject.task.predicts_classes:
            return "it does not classify"
        try:
            Pixels(subject.spec)
        except ConfigError:
            return "its inputs are not images"
        return None if subject.dataset is not None else "its data is not loaded"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        del options  # There is no map.

        def picture() -> "Figure":
            view = attack_view(subject)
            few = min(view.num_samples, NUM_SAMPLES)
            template = "{count:,} samples ({split}), the loss of the first {few:,}"
            facts = word(template, count=view.num_samples, split=word(view.split), few=few)
            note = f"{subject.note()}; {facts}"
            return attack_curves(view, title=subject.title, note=note)

        return {"attack": picture}


def attack_view(subject: Subject) -> AttackView:
    """The losses and accuracies on held-out data."""
    assert subject.dataset is not None
    dataset = subject.dataset()
    split = chosen_split("auto", dataset, own=True)
    batch = dataset.first_batch(split, NUM_SAMPLES)
    model, pixels = subject.task.model, Pixels(subject.spec)
    with evaluation_mode(model):
        classifier = pixels.classifier(model)
        images, labels = pixels.of(batch.inputs[:NUM_SAMPLES]), batch.targets[:NUM_SAMPLES]
        sign = input_gradient(classifier, images, labels, losses).sign()
        source = generator(0, "attack figure")
        signs = [torch.randint(0, 2, images.shape, generator=source).to(images) * 2 - 1 for _ in range(NUM_RANDOM)]
        places = torch.linspace(-SIZES[-1], SIZES[-1], ALONG).tolist()
        along = losses_along(classifier, images, labels, sign, places)
        random = [losses_along(classifier, images, labels, direction, places) for direction in signs]
        slope = gradient_norm(classifier, images, labels)
    accuracies = [accuracy_under(subject, split, eps) for eps in SIZES]
    return AttackView(places, along, random, slope, list(SIZES), accuracies, split, dataset.sizes[split])


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each sample, as FGSM maximizes it, `(B,)`."""
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none")


@torch.no_grad()
def losses_along(
    classifier: Classifier, images: Tensor, labels: Tensor, direction: Tensor, places: Sequence[float]
) -> list[float]:
    """The mean loss at images + place · direction; pixels are not clipped, so that the path is a line."""
    return [float(losses(classifier(images + place * direction), labels).mean()) for place in places]


def gradient_norm(classifier: Classifier, images: Tensor, labels: Tensor) -> float:
    """The mean of ‖∇ₓL‖₁ over the samples: the slope of the loss along sign ∇ₓL at 0."""
    return float(input_gradient(classifier, images, labels, losses).abs().flatten(1).sum(1).mean())


def accuracy_under(subject: Subject, split: str, eps: float) -> float:
    """The accuracy under FGSM on a whole split, as `dltool evaluate attack=fgsm attack.eps=…` measures it."""
    assert subject.dataset is not None
    attacked: dict[str, int] = {"right": 0, "seen": 0}
    adversary = Adversary(FGSM(eps=eps), subject.spec)
    model = subject.task.model
    for batch in subject.dataset().evaluation(split):
        with evaluation_mode(model), torch.no_grad():
            outputs = model(adversary.attacked(model, batch.inputs, batch.targets)).float()
            labels = subject.task.interpret(outputs).labels
        assert labels is not None
        attacked["right"] += int((labels == batch.targets).sum())
        attacked["seen"] += batch.size
    return attacked["right"] / attacked["seen"]
