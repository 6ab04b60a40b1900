"""What every metric is: something that is added up over the batches of a split and finished once at the end."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.metrics.mean import Mean
from dltool.metrics.running_means import RunningMeans

if TYPE_CHECKING:
    from matplotlib.figure import Figure

State = Mapping[str, Any]  # Name to a tensor, a number, or a tuple of numbers.


class HasState(Protocol):
    """What `merge` takes besides a state."""

    def state(self) -> State: ...


class Metric:
    """A number of a split that follows from sums over its batches, or from rows that are gathered.

    A metric is a file here, or of yours behind --trust, and `'task.metrics=[NAME]'` chooses it:

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
        of: "outputs" of a model for samples with targets, which is the default; or "samples" that a generative model
            draws, whose base class is dltool.metrics.sample_metric.SampleMetric.
        targets: Of outputs: the kinds of target that it is for, as in DataSpec.
        needs: Of samples; see SampleMetric.
        direction: "min" where less is better, "max" where more is. Rules that follow a metric need it.

    Attributes:
        is_number: False where the metric is only drawn, and `compute` gives None.
        picture: The file that `figure` is written to, such as "confusion.png"; empty where the metric has none.
    """

    is_number: bool = True
    picture: str = ""

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch; of outputs, `update(outputs, targets)`.

        Outputs are float32 `(B, output_dim)`, targets int64 `(B,)` or float32 `(B, target_dim)`. Both are float64, in
        the data's units, where the data's numbers are standardized. Of sequences both are tokens: those that were
        written, int64 `(B, U)`, and the right ones `(B, V)`, with END, then PAD.
        """
        raise NotImplementedError

    def state(self) -> State:
        """All that was added since `reset`, as tensors and numbers: what another process or a file can keep."""
        raise NotImplementedError(f"{type(self).__name__} has no state(), so that its parts cannot be merged")

    def merge_state(self, state: State) -> None:
        """Add what another metric of this class was given, from its state.

        However a split is divided, the result is that of the whole: exactly of counts and ranks, to rounding of sums.
        """
        raise NotImplementedError(f"{type(self).__name__} has no merge_state(), so that its parts cannot be merged")

    def merge(self, other: HasState | State) -> None:
        """Add what another metric of this class was given, from itself or from its state."""
        self.merge_state(other if isinstance(other, Mapping) else other.state())

    def compute(self) -> Any:
        """The number, a float, of all batches since `reset`; at least one was added.

        Raises:
            UndefinedMetric: Where there is none.
        """
        raise NotImplementedError

    @property
    def remark(self) -> str:
        """What to print beside the value of the newest evaluation, such as the exact variant; mostly nothing."""
        return ""

    def figure(self, title: str) -> "Figure":
        """A picture of all batches since `reset`; at least one was added."""
        raise NotImplementedError


class UndefinedMetric(Exception):
    """The metric has no value on these samples, and the message says why; NaN is reported, never a made-up 0."""


class MeanMetric(Metric):
    """A metric that is a mean over samples or numbers; nothing is read from the device before the end."""

    def reset(self) -> None:
        self.sums = RunningMeans()

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        """The sum and the count of a batch."""
        raise NotImplementedError

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.sums.update({"mean": self.part(outputs, targets)})

    def state(self) -> State:
        return self.sums.state()

    def merge_state(self, state: State) -> None:
        self.sums.merge(state)

    def compute(self) -> float:
        return self.sums.compute()["mean"]
