"""What every metric of a supervised task is: a number of a whole split, finished once after its last batch."""

from typing import TYPE_CHECKING

from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.metrics.mean import Mean
from dltool.metrics.running_means import RunningMeans

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Metric:
    """A number of a split that follows from sums over its batches, however uneven they are.

    A metric is a file here, or of yours behind --trust, and `'task.metrics=[NAME]'` chooses it:

        @register("metric", "largest_error", targets=("numbers",))
        class LargestError(Metric):
            def reset(self) -> None:
                self.largest = 0.0

            def update(self, outputs: Tensor, targets: Tensor) -> None:
                self.largest = max(self.largest, (outputs - targets).abs().max().item())

            def compute(self) -> float:
                return self.largest

    `targets` are the kinds of target that it is for, as in DataSpec. A name that ends in "_error" or "_loss" says
    that less is better (dltool.metrics.direction).

    Attributes:
        is_number: False where the metric is a picture only, and `compute` gives None.
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

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch: outputs `(B, output_dim)` float32, targets `(B,)` int64 or `(B, target_dim)` float32.

        Both are float64, in the data's units, where the data's numbers are standardized.
        """
        raise NotImplementedError

    def compute(self) -> float | None:
        """The number of all batches since `reset`; at least one was added.

        Raises:
            UndefinedMetric: Where there is none.
        """
        raise NotImplementedError

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
        self.sums.add({"mean": self.part(outputs, targets)})

    def compute(self) -> float:
        return self.sums.values()["mean"]
