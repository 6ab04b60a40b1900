"""What every task is: in what order a training step happens, and what is measured.

A task reads like the algorithm in the paper. It never steps an optimizer itself; it asks the updater of a
role to minimize one of its losses. The Trainer decides when steps happen (dltool.engine.trainer), the
Updater how one optimizer takes one (dltool.engine.updater); tasks import neither.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.declarations.component import requires
from dltool.metrics.mean import Mean
from dltool.metrics.metric import Metric

no_frozen_parameters = requires(
    lambda config: not config.model.freeze,
    "model.freeze keeps gradients from parameters, and task={task.name} changes them all without one",
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


class Prediction(NamedTuple):
    """What a model says of a batch.

    Attributes:
        outputs: As the model gives them, float32 `(B, output_dim)`; numbers in the data's units, float64 where they are
            standardized.
        labels: The predicted classes, int64 `(B,)`; None where numbers are predicted, the outputs themselves.
        probabilities: Of each class, `(B, num_classes)`; None where the outputs stand for none.
    """

    outputs: Tensor
    labels: Tensor | None = None
    probabilities: Tensor | None = None


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
        draws_per_step: Batches that one train_step draws; sets the number of steps in an epoch.
        main_metric: Metric of the validation split that best checkpoints and `stop` follow by
            default and "min" or "max"; None where the task has none (a GAN).
        metrics: What is measured beside the means that `evaluate` returns; after an evaluation, of its split.
        watchers: Told of each batch of an evaluation, by tasks with one output a sample.
        undefined: Name to reason of the metrics that had no value in the newest evaluation.
        split: What the newest evaluation measured; the evaluator says so before it starts.
    """

    draws_per_step: int = 1
    main_metric: tuple[str, str] | None = ("loss", "min")
    metrics: Mapping[str, Metric] = MappingProxyType({})
    undefined: Mapping[str, str] = MappingProxyType({})
    split: str = ""

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

    def samples(self, count: int) -> Tensor | None:
        """Draw `count` samples of a generative model, `(count, *input_shape)`; None where there are none."""
        return None

    @property
    def remarks(self) -> list[str]:
        """What a person should know of the newest evaluation's metrics, such as how exactly one is computed."""
        return []

    @property
    def networks(self) -> dict[str, Network]:
        """Name to what of the model can be taken elsewhere, first what is mostly wanted."""
        return {"model": Network(self.model)}

    def state_dict(self) -> dict[str, Any]:
        """State beyond the networks and optimizers: an image pool, a carried hidden state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict gave."""
