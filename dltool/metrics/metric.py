"""The base classes of metrics: accumulated over the batches of a split, and computed once at the end."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from dltool.core.errors import RunError
from dltool.core.place import place_of_function
from dltool.core.spec import DataSpec
from dltool.metrics.mean import Mean
from dltool.metrics.running_means import RunningMeans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

State = Mapping[str, Any]  # Name to a tensor, a number, or a tuple of numbers.


class HasState(Protocol):
    """An object with a state, which `merge` accepts as well as a state."""

    def state(self) -> State: ...


class Metric(ABC):
    """A value for a split, computed from sums over its batches or from gathered rows.

    A metric is a file in dltool/metrics, or your own loaded with --trust, and `'task.metrics=[NAME]'` selects it:

        @register("metric", "largest_error", of="outputs", targets=("numbers",), direction="min")
        class LargestError(Metric):
            def reset(self) -> None:
                self.largest = 0.0

            def update(self, outputs: Tensor, targets: Tensor) -> None:
                self.largest = max(self.largest, (outputs - targets).abs().max().item())

            def state(self) -> State:
                return {"largest": self.largest}

            def merge_state(self, state: State) -> None:
                self.largest = max(self.largest, state["largest"])

            def compute(self) -> float:
                return self.largest

    The registration declares:
        of: "outputs" for a metric of a model's outputs and targets, the default; or "samples" for one of a generative
            model's samples, whose base class is dltool.metrics.sample_metric.SampleMetric.
        targets: For outputs: the kinds of target that it supports, as in DataSpec.
        needs: For samples: see SampleMetric.
        direction: "min" if lower is better, "max" if higher is. Settings that monitor a metric need it.

    Attributes:
        is_number: False if the metric is only drawn, and `compute` returns None.
        picture: The file that `figure` is written to, such as "confusion.png"; empty if the metric has no figure.
    """

    is_number: bool = True
    picture: str = ""

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Clear all batches."""

    @abstractmethod
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch; for a metric of outputs, `update(outputs, targets)`.

        Outputs are float32 `(B, output_dim)`, targets int64 `(B,)` or float32 `(B, target_dim)`. If the data's numbers
        are standardized, both are float64 in the data's units. For sequences both are tokens: the generated ones,
        int64 `(B, U)`, and the target ones `(B, V)`, with END, then PAD.
        """

    def state(self) -> State:
        """Everything that was added since `reset`, as tensors and numbers, for another process or a file."""
        raise NotImplementedError(f"{type(self).__name__} has no state(), so its parts cannot be merged")

    def merge_state(self, state: State) -> None:
        """Add the batches of another metric of this class, from its state.

        However a split is divided, the result is that of the whole: exactly for counts and ranks, up to rounding for
        sums.
        """
        raise NotImplementedError(f"{type(self).__name__} has no merge_state(), so its parts cannot be merged")

    def merge(self, other: HasState | State) -> None:
        """Add the batches of another metric of this class, from itself or from its state."""
        self.merge_state(other if isinstance(other, Mapping) else other.state())

    @abstractmethod
    def compute(self) -> Any:
        """The value, a float, over all batches since `reset`; at least one was added.

        Raises:
            UndefinedMetric: If the metric has no value.
        """

    @property
    def remark(self) -> str:
        """Text to print next to the value of the newest evaluation, such as the exact variant; usually empty."""
        return ""

    def figure(self, title: str) -> "Figure":
        """A figure of all batches since `reset`; at least one was added."""
        raise NotImplementedError


class UndefinedMetric(Exception):
    """The metric has no value on these samples; the message gives the reason. NaN is reported, never a false 0."""


class MeanMetric(Metric):
    """A metric that is a mean over samples or numbers; the device is read only at the end."""

    def reset(self) -> None:
        self.sums = RunningMeans()

    @abstractmethod
    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        """The sum and the count of a batch."""

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        part = self.part(outputs, targets)
        if not isinstance(part, Mean):
            raise RunError(
                f"{place_of_function(self.part)}: part returns a {type(part).__name__}, not a Mean",
                "return Mean(total, count): the sum over the batch, and the number of its samples",
            )
        self.sums.update({"mean": part})

    def state(self) -> State:
        return self.sums.state()

    def merge_state(self, state: State) -> None:
        self.sums.merge(state)

    def compute(self) -> float:
        return self.sums.compute()["mean"]
