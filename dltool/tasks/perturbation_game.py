"""The game between a network that learns to perturb images and the classifier that it perturbs them for."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from dltool.attacks.adversary import Adversary, Examples
from dltool.attacks.pixels import Pixels, as_logits
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import Positive, Probability, register, requires
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.losses.criterion import Criterion
from dltool.metrics.accuracy import accuracy
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.mean import Mean, MeanOver
from dltool.models.perturber import Perturber
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Loss, Source, Updater


@register("task", "perturbation_game", like="supervised", loss_for="data", attacked=True)
@requires(
    lambda config: len(config.task.attacker_channels) == 2,
    "task.attacker_channels needs two numbers, the channels at full and at half resolution",
    hint="'task.attacker_channels=[16,32]'",
)
@no_mixing
@calibration_needs_probabilities
class PerturbationGameTask(SupervisedTask):
    """A generator as attacker and a classifier as defender: k steps of the attacker G, then one of the classifier f.

    G sees an image, not its class, and gives a perturbation of at most eps for each pixel in [0, 1]. It maximizes the
    classifier's cross-entropy on what it perturbed; f minimizes (1 - s) loss(f(x)) + s loss(f(x + G(x))). That is the
    generative adversarial trainer of Lee et al. (2017, arXiv:1705.03387). Deviations: their G is given the gradient of
    the loss and here the image; their penalty on the size of G(x) is here the bound. G's tanh is scaled onto what the
    ball and [0, 1] leave of each pixel, so that black pixels, which cannot get darker, still have a gradient. f is in
    evaluation mode while G learns.

    In training "loss" (f's), "accuracy", "perturbed_accuracy" and "attacker_loss" (G's, minus the cross-entropy) are
    logged; of k steps of G the last. An evaluation is that of SupervisedTask with "perturbed_loss" and
    "perturbed_accuracy", which is the main metric; `attack=…` measures another attack beside it. The attacker's
    weights are the task's, so that the model of a run is the classifier alone.

    Args:
        eps: The largest change of a pixel, for pixels in [0, 1].
        attacker_steps: k.
        attacker_channels: Maps of G at the full and at half the size.
        share: s, of the perturbed images in f's loss.
        shared: See SupervisedTask; of the classifier.
    """

    metric_directions: ClassVar[dict[str, str]] = {
        "perturbed_loss": "min",
        "perturbed_accuracy": "max",
        "attacker_loss": "min",
    }

    def __init__(
        self,
        model: nn.Module,
        loss: Criterion,
        spec: DataSpec,
        adversary: Adversary | None = None,
        *,
        eps: Probability[float] = 0.3,
        attacker_steps: Positive[int] = 1,
        attacker_channels: list[Positive[int]] = [16, 32],  # noqa: B006 (the YAML's default; never changed)
        share: Probability[float] = 0.5,
        **shared: Any,
    ) -> None:
        super().__init__(model, loss, spec, adversary, **shared)
        self.pixels = Pixels(spec)
        self.attacker = Perturber(spec.input_shape[0], attacker_channels).to(next(model.parameters()).device)
        self.roles = {"attacker": self.attacker, "classifier": model}
        self.eps = eps
        self.attacker_steps = self.draws_per_step = attacker_steps
        self.share = share
        self.main_metric = ("perturbed_accuracy", "max")

    has_objective = False

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        for _ in range(self.attacker_steps):
            batch = source.draw()
            logs = updaters["attacker"].minimize(self.attacker_loss, batch)
        return {**logs, **updaters["classifier"].minimize(self.classifier_loss, batch)}

    def attacker_loss(self, batch: Batch) -> Loss:
        with evaluation_mode(self.model):
            outputs = self.model(self.perturbed(batch.inputs)).float()
        loss = -F.cross_entropy(as_logits(outputs), batch.targets)
        return Loss(loss, batch.size, {"attacker_loss": MeanOver(loss.detach(), batch.size)})

    def classifier_loss(self, batch: Batch) -> Loss:
        outputs = self.model(batch.inputs).float()
        perturbed_outputs = self.model(self.perturbed(batch.inputs).detach()).float()
        clean, count = self.criterion(outputs, batch.targets)
        perturbed, _ = self.criterion(perturbed_outputs, batch.targets)
        objective = (1 - self.share) * clean + self.share * perturbed
        logs: dict[str, Mean] = {
            "loss": MeanOver(objective.detach(), count),
            "accuracy": accuracy(outputs, batch.targets),
            "perturbed_accuracy": accuracy(perturbed_outputs, batch.targets),
        }
        if self.criterion.sums:
            objective = objective * batch.full_size
        return self.penalized(objective, count, logs)

    def perturbed(self, inputs: Tensor) -> Tensor:
        """The inputs with what G adds to them."""
        pixels = self.pixels.of(inputs)
        lowest, highest = (pixels - self.eps).clamp(min=0), (pixels + self.eps).clamp(max=1)
        place = (1 + self.attacker(2 * pixels - 1).float()) / 2  # From 0, the lowest, to 1.
        return self.pixels.scaled(lowest + place * (highest - lowest))

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        means = super().evaluate(batch)
        perturbed = self.perturbed(batch.inputs)
        outputs = self.model(perturbed).float()
        mean, count = self.criterion(outputs, batch.targets)
        if self.attacked_examples is None:
            clean_outputs = self.model(batch.inputs).float()
            pixels, moved = self.pixels.of(batch.inputs), self.pixels.of(perturbed)
            self.attacked_examples = Examples(pixels, moved, batch.targets, clean_outputs, outputs).first()
        return means | {"perturbed_loss": MeanOver(mean, count), "perturbed_accuracy": accuracy(outputs, batch.targets)}

    def state_dict(self) -> dict[str, Any]:
        return {"attacker": self.attacker.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.attacker.load_state_dict(state["attacker"])
