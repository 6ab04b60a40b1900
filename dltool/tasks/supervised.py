"""Supervised learning: one network, targets, a loss between them."""

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from dltool.attacks.adversary import Adversary, Examples
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.data.mixing import mixing_needs_classes
from dltool.data.preprocessing import Preprocessing
from dltool.declarations.component import EvaluationOnly, NonNegative, register
from dltool.losses.criterion import Criterion
from dltool.metrics.accuracy import accuracy, label_accuracy, predicted_classes, predicted_labels
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.directions import declared_direction
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.metric import Metric, UndefinedMetric
from dltool.tasks.forecasts import Forecasts
from dltool.tasks.label_predictions import LabelPredictions
from dltool.tasks.outputs import Trial
from dltool.tasks.predictions import AnyPredictions, Prediction
from dltool.tasks.task import Loss, Task

ATTACKED = ("attacked_loss", "attacked_accuracy", "perturbation")  # Listed after the metrics without an attack.


@register("task", "supervised", loss_for="data", attacked=True)
@calibration_needs_probabilities
@mixing_needs_classes
class SupervisedTask(Task):
    """Minimize loss(model(x), y) + l1 Σ|w| + l2 Σw² over batches of (x, y).

    The penalties are over the trained weights, the parameters with two or more dimensions; biases, parameters of norms
    and frozen parameters are not penalized. They are part of the objective, so their gradient goes through the
    optimizer, unlike the weight decay of some optimizers: with SGD, l2=λ equals a weight decay of 2λ; with Adam they
    differ (Loshchilov and Hutter 2019). They are added once to the objective of a batch, whether that is a mean or a
    sum, and logged separately as "penalty"; "loss" excludes them.

    In training "loss" and, for classes, "accuracy" are logged, for several labels per sample "label_accuracy"; an
    evaluation gives "loss" and `metrics`. If the data's numbers are standardized, the loss is in those units and the
    metrics are in the original ones. The main metric is the first metric for classes and the loss for numbers. With
    mixup or cutmix the training's loss is that of the mixed targets, and its accuracy the share of inputs whose
    predicted class is the one of larger weight.

    With an attack (`attack=pgd`), an evaluation also gives "attacked_loss", "attacked_accuracy" and "perturbation", the
    mean size of the attack's perturbation, for pixels in [0, 1]; the training is not affected.

    Args:
        l1: Coefficient of the sum of absolute weights.
        l2: Coefficient of the sum of squared weights (no factor 1/2). "prior" is 1/N for N training samples with the
            squared error of standardized numbers, 1/(2N) with the other losses: the objective is then that of the most
            probable weights, if they are N(0, 1) a priori and the errors of numbers have variance 1 (MacKay 1992, "A
            practical Bayesian framework for backpropagation networks"). With two outputs for two classes, it is that of
            their difference, 1/N; with several labels, whose loss is a mean over K labels, 1/(2NK). For a linear model
            it is the penalty of scikit-learn's Ridge and LogisticRegression with their defaults. "auto" is the same
            for numbers, and 0 for classes and labels, where it does not help networks. Both are 0 where no sample is
            held out.
        metrics: Names of the metrics of an evaluation (dltool/metrics/); null is "accuracy" for classes, "mae" and
            "rmse" for numbers, "f1_micro", "f1_macro", "exact_match" and "label_accuracy" for several labels.

    """

    metric_directions: ClassVar[dict[str, str]] = {"attacked_loss": "min", "attacked_accuracy": "max"}

    def __init__(
        self,
        model: nn.Module,
        loss: Criterion,
        spec: DataSpec,
        adversary: Adversary | None = None,
        *,
        l1: NonNegative[float] = 0.0,
        l2: Literal["auto", "prior"] | NonNegative[float] = 0.0,
        metrics: EvaluationOnly[list[str] | None] = None,
    ) -> None:
        super().__init__(model)
        self.criterion = loss
        self.spec = spec
        self.adversary = adversary
        self.l1 = l1
        self.follows_size = isinstance(l2, str)
        self.with_prior = l2 == "prior" or (l2 == "auto" and spec.target == "numbers")
        self.l2 = 0.0 if isinstance(l2, str) else l2  # Until the size is known.
        self.predicts_classes = spec.target not in ("numbers", "labels")
        self.predicts_labels = spec.target == "labels"
        self.metric_names = metrics
        if self.predicts_classes:
            self.uses = (*self.uses, "classify")

    def use_metrics(self, metrics: Mapping[str, Metric]) -> None:
        """Use these metrics; the first is the main metric of classes, unless a subclass has another."""
        super().use_metrics(metrics)
        numbers = [name for name, metric in metrics.items() if metric.is_number]
        if (self.predicts_classes or self.predicts_labels) and numbers and self.main_metric is Task.main_metric:
            self.main_metric = (numbers[0], declared_direction(numbers[0]) or "max")
            if self.metric_names is None:
                self.selection_metric = "loss"  # The accuracy of few samples has many ties.

    def use_training_size(self, num_samples: int, batch_size: float, *, held_out: bool) -> None:
        if self.follows_size:
            # -log p of the weights is Σw² / 2. The objective is 1/N of that of all samples, or a batch's share of it.
            share = batch_size if self.criterion.sums else 1.0
            share *= 2 if self.predicts_classes and self.spec.output_dim == 2 else 1
            share /= self.spec.output_dim if self.predicts_labels else 1
            self.l2 = self.criterion.nats / 2 * share / num_samples if held_out and self.with_prior else 0.0
            self.penalty_choices = {"task.l2": self.l2}

    def with_model(self, model: nn.Module) -> Self:
        """A copy of the task with another model that has the same kind of outputs."""
        other = copy.copy(self)
        other.model = model
        return other

    def trial(self, spec: DataSpec) -> Trial | None:
        return Trial((torch.zeros(1, *spec.input_shape, dtype=torch.int64 if spec.num_tokens else torch.float32),))

    def loss(self, batch: Batch) -> Loss:
        outputs = self.model(batch.inputs).float()  # The loss is in float32, also under autocast.
        objective, count = self.objective(outputs, batch)
        logs: dict[str, Mean] = {"loss": MeanOver(objective.detach(), count)}
        if self.predicts_classes:
            logs["accuracy"] = accuracy(outputs, batch.main_targets)
        elif self.predicts_labels:
            logs["label_accuracy"] = label_accuracy(outputs, batch.main_targets)
        if self.criterion.sums:
            objective = objective * batch.full_size
        return self.penalized(objective, count, logs)

    def penalized(self, objective: Tensor, count: Tensor | int, logs: dict[str, Mean]) -> Loss:
        """The objective with the enabled penalties."""
        if self.l1 or self.l2:
            penalty = self.penalty()
            objective = objective + penalty
            logs["penalty"] = Mean(penalty.detach(), 1)
        return Loss(objective, count, logs)

    def objective(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor | int]:
        """The criterion; for mixed inputs, λ times it plus 1 - λ times the criterion for the partners' targets."""
        own, count = self.criterion(outputs, batch.targets)
        if batch.partners is None:
            return own, count
        targets, weight = batch.partners
        other, other_count = self.criterion(outputs, targets)
        if isinstance(count, int):
            return torch.lerp(other, own, weight), count
        # Sums, not means, are mixed: with class weights the two means are over different counts.
        share, other_share = weight * count, (1 - weight) * other_count
        total = share + other_share
        return (share * own + other_share * other) / total.clamp(min=torch.finfo(total.dtype).tiny), total

    def penalty(self) -> Tensor:
        """l1 Σ|w| + l2 Σw² over the trained weights."""
        total = torch.zeros((), device=next(self.model.parameters()).device)
        for parameter in self.model.parameters():
            if parameter.dim() >= 2 and parameter.requires_grad:
                if self.l1:
                    total = total + self.l1 * parameter.abs().sum()
                if self.l2:
                    total = total + self.l2 * parameter.square().sum()
        return total

    @property
    def loss_choices(self) -> Mapping[str, Any]:
        return self.criterion.choices

    @property
    def probabilities(self) -> Callable[[Tensor], Tensor | None] | None:
        return self.criterion.probabilities if self.predicts_classes or self.predicts_labels else None

    def interpret(self, outputs: Tensor) -> Prediction:
        if self.predicts_labels:
            return Prediction(outputs, predicted_labels(outputs).long(), self.criterion.probabilities(outputs))
        if not self.predicts_classes:
            return Prediction(self.spec.in_units(outputs))
        return Prediction(outputs, predicted_classes(outputs).long(), self.criterion.probabilities(outputs))

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> AnyPredictions:
        if preprocessing.forecast is not None and not self.predicts_classes:
            return Forecasts.of(names, parts, preprocessing.forecast)
        if self.predicts_labels:
            return LabelPredictions.of(names, parts, spec.class_names)
        return super().collect(names, parts, spec, preprocessing, tokens)

    def compared(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        return self.criterion(outputs, targets)[0]

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        mean, _ = self.criterion(outputs, targets)
        values = {"loss": float(mean)}
        measured, truth = self.spec.in_units(outputs), self.spec.in_units(targets)
        for name, metric in self.metrics.items():
            fresh = copy.copy(metric)
            fresh.reset()
            fresh.update(measured, truth)
            with contextlib.suppress(UndefinedMetric):
                if (value := fresh.compute()) is not None:
                    values[name] = value
        return values

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        outputs = self.model(batch.inputs).float()
        mean, count = self.criterion(outputs, batch.targets)
        if self.metrics:
            measured, truth = self.spec.in_units(outputs), self.spec.in_units(batch.targets)
            for metric in self.metrics.values():
                metric.update(measured, truth)
        for watcher in self.watchers:
            watcher.see(batch, outputs)
        return {"loss": MeanOver(mean, count), **self.evaluate_attacked(batch, outputs)}

    @property
    def evaluation_adds_up(self) -> bool:
        return self.only_sums_metrics and self.adversary is None

    def start_evaluation(self) -> None:
        super().start_evaluation()
        self.attacked_examples = None
        if self.adversary is not None:
            self.adversary.start()

    def evaluate_attacked(self, batch: Batch, outputs: Tensor) -> dict[str, Mean]:
        """The same metrics under attack, for the requested number of samples; empty without an attack."""
        adversary = self.adversary
        if adversary is None or not (num := adversary.num_requested(batch.size)):
            return {}
        inputs, targets = batch.inputs[:num], batch.targets[:num]
        attacked = adversary.attacked(self.model, inputs, targets)
        attacked_outputs = self.model(attacked).float()
        mean, count = self.criterion(attacked_outputs, targets)
        clean, moved = adversary.pixels.of(inputs), adversary.pixels.of(attacked)
        if self.attacked_examples is None:
            self.attacked_examples = Examples(clean, moved, targets, outputs, attacked_outputs).first()
        return {
            "attacked_loss": MeanOver(mean, count),
            "attacked_accuracy": accuracy(attacked_outputs, targets),
            "perturbation": Mean(adversary.attack.ball.size(moved - clean).sum(), num),
        }

    @property
    def remarks(self) -> list[str]:
        attacked = [f"attacked: {self.adversary.describe()}"] if self.adversary is not None else []
        return [*super().remarks, *attacked]

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        attacked = {name: value for name, value in metrics.items() if name in ATTACKED}
        plain = {name: value for name, value in metrics.items() if name not in ATTACKED}
        return plain | self.computed_metrics() | attacked
