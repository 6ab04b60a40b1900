"""The base of all tasks: the order of a training step, and its metrics.

A task reads like the algorithm in the paper. It never steps an optimizer itself; it calls the updater of a role to
minimize one of its losses. The Trainer decides when steps happen (dltool.engine.trainer), the Updater how an optimizer
takes a step (dltool.engine.updater); tasks import neither.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from dltool.attacks.adversary import Examples
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.declarations.component import requires
from dltool.metrics.mean import Mean
from dltool.metrics.metric import Metric, UndefinedMetric
from dltool.metrics.of_samples import SampleMetrics
from dltool.tasks.outputs import Adversaries, DecodedText, ImageTable, Network, Picture, Suggestion, Trial
from dltool.tasks.predictions import AnyPredictions, Prediction, Predictions
from dltool.tasks.sample_evaluator import SampleEvaluator
from dltool.tasks.watcher import Watcher

no_frozen_parameters = requires(
    lambda config: not config.model.freeze,
    "model.freeze blocks gradients of parameters, but task={task.name} changes all parameters without gradients",
    hint="'model.freeze=[]'",
)


class Loss(NamedTuple):
    """The result of a task's loss for one (micro-)batch.

    Attributes:
        mean: The differentiable objective, averaged over `count`.
        count: The denominator of the mean: the number of samples or tokens, or the sum of class weights. Micro-batches
            are weighted by it, so that uneven ones give the gradient of the whole batch.
        logs: Sums and counts of the logged metrics, detached; "loss" is among them.
    """

    mean: Tensor
    count: Tensor | int  # type: ignore[assignment]  # tuple.count is meant to be hidden.
    logs: dict[str, Mean]


class Source(Protocol):
    """The source of a training step's batches."""

    def draw(self) -> Batch: ...


class Updater(Protocol):
    """One optimizer over the parameters of one role."""

    def minimize(self, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Mean]:
        """Take one optimizer step on `loss(batch)`, in micro-batches if configured."""
        ...

    def joined(self, rows: Tensor, batch: Batch) -> Tensor:
        """All rows that the last `minimize` computed for a batch, in its order.

        Args:
            rows: Those of the micro-batches that `loss` was called with: several processes share a batch.
            batch: The batch.
        """
        ...


class Task:
    """Base of all tasks: one network, one optimizer, one loss per batch.

    Attributes:
        model: The whole model, an nn.Module whose forward() is the network of the role "model".
        roles: Name to module of each set of parameters that has its own optimizer.
        uses: Uses of the trained model in addition to predictions (see `predicts`), by the names of dltool.tasks.uses:
            "generate", "mix", "reconstruct", "translate", "continue", "write", "fill", "compare", "classify".
        model_methods: The methods that the task needs of its model in addition to forward().
        draws_per_step: Batches that one train_step draws; sets the number of steps in an epoch.
        main_metric: Metric of the validation split that best checkpoints and `stop` monitor by default, and "min" or
            "max"; None where the task has none (a GAN).
        selection_metric: Metric of the validation split by which checkpoints are compared where
            `trainer.checkpoint.metric` is "auto"; None for the main metric.
        metric_directions: "min" or "max" for the task's metrics other than registered ones, if a direction is better;
            `*` matches anything. A class inherits those of its bases. It must be a dict literal, since
            dltool.metrics.directions reads it from the source text.
        metric_names: The registered metrics of outputs in an evaluation; None for the defaults of the data's targets.
        metrics: The metric objects, which dltool.build.metrics sets; after an evaluation, with the values of its split.
        sample_metrics: The registered metrics of samples in an evaluation.
        sample_evaluator: Computes them; dltool.build.sample_quality sets it where any is requested.
        num_classes: Number of classes that samples can be conditioned on; 0 for none.
        penalty_choices: The coefficients of penalties that `use_training_size` chose, by dotted key.
        watchers: Called with each evaluation batch, by tasks with one output per sample.
        undefined: Name to reason of the metrics that had no value in the newest evaluation.
        split: The split of the newest evaluation; the evaluator sets it before it starts.
        predicts_classes: Whether the model predicts one class per sample.
        attacked_examples: The first samples of the newest evaluation under attack; None without one.
    """

    uses: tuple[str, ...] = ()
    model_methods: tuple[str, ...] = ()
    draws_per_step: int = 1
    main_metric: tuple[str, str] | None = ("loss", "min")
    selection_metric: str | None = None
    metric_directions: ClassVar[dict[str, str]] = {"loss": "min", "penalty": "min"}
    metric_names: Sequence[str] | None = ()
    metrics: Mapping[str, Metric] = MappingProxyType({})
    sample_metrics: SampleMetrics = SampleMetrics()
    sample_evaluator: SampleEvaluator | None = None
    num_classes: int = 0
    penalty_choices: Mapping[str, float] = MappingProxyType({})
    undefined: Mapping[str, str] = MappingProxyType({})
    split: str = ""
    predicts_classes: bool = False
    attacked_examples: Examples | None = None

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.roles: dict[str, nn.Module] = {"model": model}
        self.watchers: list[Watcher] = []

    @property
    def loss_choices(self) -> Mapping[str, Any]:
        """The numbers that the loss computed from the training split for keys such as "balanced", by dotted key."""
        return {}

    def use_training_size(self, num_samples: int, batch_size: float, *, held_out: bool) -> None:
        """Choose what follows the size of the training split and of a mean batch, and whether samples are held out."""

    @property
    def has_objective(self) -> bool:
        """Whether the training minimizes one function, `loss`; GANs and rules without gradients do not."""
        return type(self).loss is not Task.loss

    @classmethod
    def only_minimizes(cls) -> bool:
        """Whether a training step consists of one update of one network that minimizes `loss`."""
        return cls.loss is not Task.loss and cls.train_step is Task.train_step

    def loss(self, batch: Batch) -> Loss:
        """The objective on one (micro-)batch and its logged metrics."""
        raise NotImplementedError

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        """One step of the algorithm; returns the logged metrics, as sums and counts."""
        batch = source.draw()
        logs = updaters["model"].minimize(self.loss, batch)
        self.finish_step(batch, updaters["model"])
        return logs

    def finish_step(self, batch: Batch, updater: Updater) -> None:
        """Called after an update on a batch, for what a task keeps of all of its micro-batches."""

    @classmethod
    def direction_of(cls, metric: str) -> str | None:
        """The direction of a metric, named without its split, in the class or its bases."""
        for owner in cls.__mro__:
            for pattern, direction in vars(owner).get("metric_directions", {}).items():
                if fnmatchcase(metric, pattern):
                    return str(direction)
        return None

    def use_metrics(self, metrics: Mapping[str, Metric]) -> None:
        """Use these metrics, requested by `metric_names`, in each evaluation."""
        self.metrics = metrics

    @property
    def evaluation_adds_up(self) -> bool:
        """Whether several processes may each evaluate some batches of `split`, as the result only adds up sums.

        Otherwise each evaluates all of them: what follows the order of the batches, such as random numbers, carried
        states and watchers, is then as in one process.
        """
        return False

    @property
    def only_sums_metrics(self) -> bool:
        """Whether the metrics of `split` can be merged, and nothing watches the outputs: for `evaluation_adds_up`."""
        watched = any(watcher.split in (None, self.split) for watcher in self.watchers)
        return not watched and all(type(one).merge_state is not Metric.merge_state for one in self.metrics.values())

    def start_evaluation(self) -> None:
        """Called before the first batch of a split; the evaluation before may have been interrupted."""
        for metric in self.metrics.values():
            metric.reset()
        for watcher in self.watchers:
            watcher.start()

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        """Measure one batch of a held-out split, without gradients and in evaluation mode."""
        raise NotImplementedError

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        """Turn the means over a split into its metrics (for example the root of a mean square)."""
        return metrics

    def computed_metrics(self) -> dict[str, float]:
        """The values of `metrics` over the split; NaN for an undefined one, which `undefined` explains."""
        values, undefined = {}, {}
        for name, metric in self.metrics.items():
            try:
                value = metric.compute()
            except UndefinedMetric as reason:
                value, undefined[name] = math.nan, str(reason)
            if value is not None:
                values[name] = value
        self.undefined = undefined
        return values

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The metrics of other outputs, such as a prediction without a model, by name; empty where there are none.

        Args:
            outputs: As the model's, float32 `(N, output_dim)`.
            targets: The targets of all these samples.
        """
        del outputs, targets
        return {}

    def compared(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        """The mean loss of outputs, differentiable, without penalties; None where outputs and targets do not give it.

        Args:
            outputs: As the model's, `(N, output_dim)`.
            targets: The targets of these samples.
        """
        del outputs, targets
        return None

    def details(self) -> dict[str, float]:
        """Metrics of the last evaluation that are too many for a line of the log; `dltool evaluate` adds them."""
        return {}

    @property
    def predicts(self) -> bool:
        """Whether the model predicts something for a sample; a GAN does not."""
        return type(self).interpret is not Task.interpret

    def predict(self, inputs: Tensor) -> Prediction:
        """Predict for inputs without targets. Raises ConfigError if the model has no predictions."""
        return self.interpret(self.model(inputs).float())

    def interpret(self, outputs: Tensor) -> Prediction:
        """Convert outputs `(B, output_dim)` to predictions."""
        raise ConfigError(
            f"{type(self.model).__name__} predicts nothing",
            "`dltool evaluate` measures it; `dltool sample` shows the samples of a GAN or a language model",
        )

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> AnyPredictions:
        """Join the predictions of all batches.

        Args:
            names: The name of each sample; for given texts, the text itself.
            parts: The predictions of each batch.
            spec: The description of the data.
            preprocessing: The preprocessing of the inputs.
            tokens: The inputs of each batch, `(B, T)`, where they are tokens and the names are not their texts.
        """
        return Predictions.of(names, parts, spec.class_names)

    @property
    def probabilities(self) -> Callable[[Tensor], Tensor | None] | None:
        """The map from outputs to the probability of each class, `(…, num_classes)`; None without classes."""
        return None

    def missing_methods(self) -> list[str]:
        """Those of `model_methods` that the model lacks."""
        return [method for method in self.model_methods if not callable(getattr(self.model, method, None))]

    def trial(self, spec: DataSpec) -> Trial | None:
        """A sample for which the shape of the model's outputs is known; None if it is not."""
        return None

    @property
    def takes_any_length(self) -> bool:
        """Whether the model takes texts longer than those of its training, as stated by its `max_length = None`."""
        return getattr(self.model, "max_length", 0) is None

    def decoded_text(self, source: Tensor) -> DecodedText | None:
        """The inputs and outputs of a decoder for one text or image `(1, …)`; None if the model has no decoder."""
        return None

    def suggestion(self, spec: DataSpec) -> Suggestion | None:
        """The command to suggest after training, if there is one."""
        if not self.predicts:
            return None
        return Suggestion("predict", "predict", "--text 'TEXT'" if spec.num_tokens else "--input FILE")

    def samples(self, count: int) -> Tensor | None:
        """Draw `count` samples of a generative model, `(count, *input_shape)`; None for other models."""
        return None

    def cycle_labels(self, count: int, device: torch.device) -> Tensor | None:
        """The classes of `count` samples, int64 `(count,)`; None for an unconditional model."""
        return None

    def picture(self, count: int, held_out: Callable[[int], Batch]) -> Picture | None:
        """The samples to plot during training; None if there are none.

        Args:
            count: Number of samples, if the model can draw any number.
            held_out: Returns at least the given number of held-out samples, from the first, for models that read.
        """
        samples = self.samples(count)
        return None if samples is None else Picture(samples)

    def image_tables(self) -> Mapping[str, Callable[[], ImageTable]]:
        """Figures of the trained model besides its samples, each computed by a function.

        The keys are the names of their files without suffix. The functions are called without gradients, in evaluation
        mode and with seeded default generators.
        """
        return {}

    @property
    def adversaries(self) -> Adversaries | None:
        """The generator and the discriminator of an unconditional GAN; None for other models."""
        return None

    @property
    def remarks(self) -> list[str]:
        """Messages for the user about the newest evaluation's metrics, such as the exact definition of one."""
        return [metric.remark for metric in self.metrics.values() if metric.remark]

    @property
    def networks(self) -> dict[str, Network]:
        """The parts of the model that can be exported, at least one, by name; the most common one first."""
        return {"model": Network(self.model)}

    def state_dict(self) -> dict[str, Any]:
        """State beyond the networks and optimizers: an image pool, a carried hidden state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the result of state_dict."""
