"""Training against an adversary: the min-max problem of Madry, and TRADES."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.attacks.adversary import Adversary
from dltool.attacks.pixels import as_logits
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.mixing import mixing_needs_classes
from dltool.declarations.component import NonNegative, register, requires
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.losses.criterion import Criterion
from dltool.metrics.accuracy import accuracy
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Loss, Source, Updater


@register("task", "adversarial", like="supervised", loss_for="data", attacked=True)
@requires(
    lambda config: config.attack.name != "none",
    "task=adversarial trains against an attack, and attack=none",
    hint="attack=pgd attack.steps=10",
)
@requires(
    lambda config: config.task.method != "trades" or config.loss.name in ("cross_entropy", "binary_cross_entropy"),
    "task.method=trades compares probabilities, and this loss does not train outputs to be probabilities",
    hint="loss=cross_entropy, or task.method=madry",
)
@calibration_needs_probabilities
@mixing_needs_classes
class AdversarialTask(SupervisedTask):
    """Any classifier of images, trained on what `attack` makes of each batch.

    "madry" is min over θ of E max over δ of loss(f_θ(x + δ), y) (Madry et al. 2018, arXiv:1706.06083, eq. 2.1): attack
    the batch, then take a step on the attacked images alone. With attack=fgsm_rs it is fast adversarial training (Wong
    et al. 2020, arXiv:2001.03994). "trades" is Zhang et al. (2019, arXiv:1901.08573, eq. 5): the loss of the clean
    images plus beta times KL(p(x) || p(x + δ)), which is also what the attack maximizes. Deviation from its code: the
    random start is the attack's, uniform in the ball and not N(0, 0.001²). 1/λ is called beta, as there.

    The model is in evaluation mode while it is attacked, and in training mode when it learns, so that batch norm's
    running statistics follow the images that it learns from. Micro-batches are attacked one after the other.
    With mixup or cutmix an image is attacked as what it shows most of.

    In training "loss" and "attacked_accuracy" are logged, by TRADES also "accuracy" and the "divergence". An evaluation
    is that of SupervisedTask, with and without the attack; its main metric is "attacked_accuracy".

    Args:
        method: "madry" or "trades".
        beta: Weight of the divergence in TRADES.
        warmup_steps: Steps over which eps grows linearly from 0. A large eps from the beginning can leave a network
            where all classes are equally likely.
        shared: See SupervisedTask.

    Raises:
        ConfigError: For TRADES with class weights.
    """

    metric_directions: ClassVar[dict[str, str]] = {"divergence": "min"}

    def __init__(
        self,
        model: nn.Module,
        loss: Criterion,
        spec: DataSpec,
        adversary: Adversary,
        *,
        method: Literal["madry", "trades"] = "madry",
        beta: NonNegative[float] = 6.0,
        warmup_steps: NonNegative[int] = 0,
        **shared: Any,
    ) -> None:
        super().__init__(model, loss, spec, adversary, **shared)
        self.adversary: Adversary = adversary
        self.trades = method == "trades"
        if self.trades and getattr(loss, "class_weights", None) is not None:
            raise ConfigError(
                "task.method=trades compares the probabilities of all samples alike, and loss.class_weights does not",
                "loss.class_weights=null, or task.method=madry",
            )
        self.beta = beta
        self.warmup_steps = warmup_steps
        self.num_steps = 0
        self.main_metric = ("attacked_accuracy", "max")

    @property
    def strength(self) -> float:
        """The share of eps at the present step."""
        return min(1.0, (self.num_steps + 1) / self.warmup_steps) if self.warmup_steps else 1.0

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        logs = super().train_step(source, updaters)
        self.num_steps += 1
        return logs

    def loss(self, batch: Batch) -> Loss:
        return self.trades_loss(batch) if self.trades else self.madry_loss(batch)

    def madry_loss(self, batch: Batch) -> Loss:
        attacked = self.adversary.attacked(self.model, batch.inputs, batch.main_targets, strength=self.strength)
        mean, count, logs = super().loss(batch._replace(inputs=attacked))
        logs["attacked_accuracy"] = logs.pop("accuracy")
        return Loss(mean, count, logs)

    def trades_loss(self, batch: Batch) -> Loss:
        attacked = self.attacked_apart(batch)
        outputs, attacked_outputs = self.model(batch.inputs).float(), self.model(attacked).float()
        objective, count = self.objective(outputs, batch)
        divergence = divergences(as_logits(outputs), as_logits(attacked_outputs)).mean()
        logs: dict[str, Mean] = {
            "loss": MeanOver((objective + self.beta * divergence).detach(), count),
            "accuracy": accuracy(outputs, batch.main_targets),
            "divergence": MeanOver(divergence.detach(), count),
            "attacked_accuracy": accuracy(attacked_outputs, batch.main_targets),
        }
        return self.penalized(objective + self.beta * divergence, count, logs)

    def attacked_apart(self, batch: Batch) -> Tensor:
        """The inputs, attacked so that what the model says of them departs from what it says of the clean ones."""
        with evaluation_mode(self.model), torch.enable_grad():  # As in Attack, for the sake of autocast.
            clean = as_logits(self.model(batch.inputs).float()).detach()
        return self.adversary.attacked(
            self.model,
            batch.inputs,
            batch.main_targets,
            objective=lambda logits, labels: divergences(clean, logits),
            strength=self.strength,
        )

    def state_dict(self) -> dict[str, Any]:
        return {"num_steps": self.num_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.num_steps = state["num_steps"]


def divergences(clean: Tensor, attacked: Tensor) -> Tensor:
    """KL(p(clean) || p(attacked)) of each sample, `(B,)`, from logits `(B, K)`."""
    return F.kl_div(attacked.log_softmax(1), clean.log_softmax(1), reduction="none", log_target=True).sum(1)
