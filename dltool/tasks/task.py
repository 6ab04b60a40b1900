"""What every task is: in what order a training step happens, and what is measured.

A task reads like the algorithm in the paper. It never steps an optimizer itself; it asks the updater of a
role to minimize one of its losses. The Trainer decides when steps happen (dltool.engine.trainer), the
Updater how one optimizer takes one (dltool.engine.updater); tasks import neither.
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
from dltool.tasks.predictions import AnyPredictions, Prediction, Predictions
from dltool.tasks.sample_evaluator import SampleEvaluator

no_frozen_parameters = requires(
    lambda config: not config.model.freeze,
    "model.freeze stops gradients, but task={task.name} changes all parameters without gradients",
    hint="'model.freeze=[]'",
)


class Loss(NamedTuple):
    """What a task's loss returns for one (micro-)batch.

    Attributes:
        mean: The differentiable objective, averaged over `count`.
        count: What it is averaged over: samples, tokens, or the sum of class weights. Micro-batches are
            weighted by it, so that uneven ones give the gradient of the whole batch.
        logs: Sums and counts of what is to be logged, detached, among them "loss".
    """

    mean: Tensor
    count: Tensor | int  # type: ignore[assignment]  # tuple.count is meant to be hidden.
    logs: dict[str, Mean]


class Network(NamedTuple):
    """A part of a model that is of use by itself.

    Attributes:
        module: Takes one tensor and gives one, the batch in front.
        noise: Draws the given number of inputs, the same each time, where these are no data; else None.
        takes: What the inputs are, in words; empty where they are what the data gives.
        gives: What the outputs are, in words; empty where they are what the data's targets ask for.
    """

    module: nn.Module
    noise: Callable[[int], Tensor] | None = None
    takes: str = ""
    gives: str = ""


class Suggestion(NamedTuple):
    """A command that uses a trained model, `dltool VERB RUN ARGUMENTS`.

    Attributes:
        title: What it does, in a word.
        verb: Of the command line.
        arguments: What to type after the run; empty where there is nothing.
    """

    title: str
    verb: str
    arguments: str = ""


class DecodedText(NamedTuple):
    """A text that a decoder writes token by token.

    Attributes:
        inputs: What the decoder reads, int64 `(1, U)`: BEGIN and all tokens but the last.
        read: The name of each of these tokens.
        written: The name of each token that is written.
    """

    inputs: Tensor
    read: list[str]
    written: list[str]


class Picture(NamedTuple):
    """Samples that show how far a training is.

    Attributes:
        samples: `(N, *input_shape)`, scaled as the data.
        num_columns: Of a grid of them; None for about as many as rows.
    """

    samples: Tensor
    num_columns: int | None = None


class Source(Protocol):
    """Where a training step draws its batches."""

    def draw(self) -> Batch: ...


class Updater(Protocol):
    """One optimizer over the parameters of one role."""

    def minimize(self, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Mean]:
        """Take one optimizer step on `loss(batch)`, in micro-batches where so configured."""
        ...


class Watcher(Protocol):
    """Sees what the model says of the samples that are measured, while both are at hand."""

    def start(self) -> None:
        """Before the first batch of a split; the one before may have been broken off."""
        ...

    def see(self, batch: Batch, outputs: Tensor) -> None:
        """A batch, and the model's outputs, float32 `(B, output_dim)`; must not wait for an accelerator."""
        ...


class Task:
    """Base of all tasks: one network, one optimizer, one loss per batch.

    Attributes:
        model: The whole model, an nn.Module whose forward() is the network of the role "model".
        roles: Name to module of each set of parameters that has an optimizer of its own.
        uses: What the trained model can be used for beside predictions (see `predicts`), in the words of
            dltool.tasks.uses: "generate", "reconstruct", "translate", "continue", "write", "fill", "compare",
            "classify".
        draws_per_step: Batches that one train_step draws; sets the number of steps in an epoch.
        main_metric: Metric of the validation split that best checkpoints and `stop` follow by
            default and "min" or "max"; None where the task has none (a GAN).
        metric_directions: "min" or "max" of the metrics that the task reports beside registered ones, as far as one is
            better; `*` stands for anything. A class inherits those of its bases. It is a dict that is written out,
            since dltool.metrics.directions reads it from the source text.
        metric_names: The registered metrics of outputs that an evaluation measures; None for the usual ones of the
            data's targets.
        metrics: Those, which dltool.build.metrics puts here; after an evaluation, of its split.
        sample_metrics: The registered metrics of samples that an evaluation measures.
        sample_evaluator: Computes them; dltool.build.sample_quality sets it where any is requested.
        num_classes: By which samples can be asked for; 0 for a task without samples or an unconditional model.
        watchers: Told of each batch of an evaluation, by tasks with one output a sample.
        undefined: Name to reason of the metrics that had no value in the newest evaluation.
        split: What the newest evaluation measured; the evaluator says so before it starts.
        predicts_classes: Whether the model gives one class a sample.
        attacked_examples: The first samples of the newest evaluation under attack; None without one.
    """

    uses: tuple[str, ...] = ()
    draws_per_step: int = 1
    main_metric: tuple[str, str] | None = ("loss", "min")
    metric_directions: ClassVar[dict[str, str]] = {"loss": "min", "penalty": "min"}
    metric_names: Sequence[str] | None = ()
    metrics: Mapping[str, Metric] = MappingProxyType({})
    sample_metrics: SampleMetrics = SampleMetrics()
    sample_evaluator: SampleEvaluator | None = None
    num_classes: int = 0
    undefined: Mapping[str, str] = MappingProxyType({})
    split: str = ""
    predicts_classes: bool = False
    attacked_examples: Examples | None = None

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.roles: dict[str, nn.Module] = {"model": model}
        self.watchers: list[Watcher] = []

    @property
    def has_objective(self) -> bool:
        """Whether the training minimizes one function, `loss`; two players and rules without gradients do not."""
        return type(self).loss is not Task.loss

    def loss(self, batch: Batch) -> Loss:
        """The objective on one (micro-)batch and what to log of it."""
        raise NotImplementedError

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        """One step of the algorithm; returns what to log, as sums and counts."""
        return updaters["model"].minimize(self.loss, source.draw())

    @classmethod
    def direction_of(cls, metric: str) -> str | None:
        """What `metric_directions` of the class and its bases say of a metric, by its name without the split."""
        for owner in cls.__mro__:
            for pattern, direction in vars(owner).get("metric_directions", {}).items():
                if fnmatchcase(metric, pattern):
                    return str(direction)
        return None

    def use_metrics(self, metrics: Mapping[str, Metric]) -> None:
        """Measure these, which `metric_names` asked for, in each evaluation."""
        self.metrics = metrics

    def start_evaluation(self) -> None:
        """Before the first batch of a split; the one before may have been broken off."""
        for metric in self.metrics.values():
            metric.reset()
        for watcher in self.watchers:
            watcher.start()

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        """Measure one batch of a held-out split, without gradients and in evaluation mode."""
        raise NotImplementedError

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        """Turn the means over a split into its metrics (a root of a mean square, say)."""
        return metrics

    def computed_metrics(self) -> dict[str, float]:
        """The values of `metrics` over the split; NaN where there is none, which `undefined` then explains."""
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

    def details(self) -> dict[str, float]:
        """What of the evaluation just finished is too much for a line of the log; `dltool evaluate` adds it."""
        return {}

    @property
    def predicts(self) -> bool:
        """Whether the model says something of a sample; a GAN does not."""
        return type(self).interpret is not Task.interpret

    def predict(self, inputs: Tensor) -> Prediction:
        """What the model says of inputs without targets. Raises ConfigError where it says nothing of any."""
        return self.interpret(self.model(inputs).float())

    def interpret(self, outputs: Tensor) -> Prediction:
        """What outputs `(B, output_dim)` say of their samples."""
        raise ConfigError(
            f"{type(self.model).__name__} predicts nothing",
            "`dltool evaluate` measures it; `dltool sample` shows what a GAN or a language model makes",
        )

    def collect(
        self,
        names: list[str],
        parts: Sequence[Prediction],
        spec: DataSpec,
        preprocessing: Preprocessing,
        tokens: Sequence[Tensor] | None = None,
    ) -> AnyPredictions:
        """Join what was predicted batch by batch.

        Args:
            names: The name of each sample; of typed texts, the text itself.
            parts: The predictions of each batch.
            spec: Of the data.
            preprocessing: Of the inputs.
            tokens: The inputs of each batch, `(B, T)`, where they are tokens and the names are not their texts.
        """
        return Predictions.of(names, parts, spec.class_names)

    @property
    def probabilities(self) -> Callable[[Tensor], Tensor | None] | None:
        """From outputs to the probability of each class, `(…, num_classes)`; None where there are no classes."""
        return None

    @property
    def takes_any_length(self) -> bool:
        """Whether the model takes texts longer than those of its training, and says so by `max_length = None`."""
        return getattr(self.model, "max_length", 0) is None

    def decoded_text(self, source: Tensor) -> DecodedText | None:
        """What a decoder reads and writes for one text or image `(1, …)`; None where the model has no decoder."""
        return None

    def suggestion(self, spec: DataSpec) -> Suggestion | None:
        """The command that is suggested once the model is trained, if there is one."""
        if not self.predicts:
            return None
        return Suggestion("predict", "predict", "--text 'TEXT'" if spec.num_tokens else "--input FILE")

    def samples(self, count: int) -> Tensor | None:
        """Draw `count` samples of a generative model, `(count, *input_shape)`; None where there are none."""
        return None

    def cycle_labels(self, count: int, device: torch.device) -> Tensor | None:
        """The classes of `count` samples, int64 `(count,)`; None of a model that cannot be asked for a class."""
        return None

    def picture(self, count: int, held_out: Callable[[int], Batch]) -> Picture | None:
        """What to draw while the model is trained: its samples; None where there is nothing.

        Args:
            count: Samples, where the model makes any number.
            held_out: Gives the first held-out samples, at least so many, for a model that needs inputs.
        """
        samples = self.samples(count)
        return None if samples is None else Picture(samples)

    @property
    def remarks(self) -> list[str]:
        """What the user should know of the newest evaluation's metrics, such as how exactly one is computed."""
        return [metric.remark for metric in self.metrics.values() if metric.remark]

    @property
    def networks(self) -> dict[str, Network]:
        """Name to what of the model can be taken elsewhere, first what is mostly wanted."""
        return {"model": Network(self.model)}

    def state_dict(self) -> dict[str, Any]:
        """State beyond the networks and optimizers: an image pool, a carried hidden state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict gave."""
