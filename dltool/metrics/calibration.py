"""Whether a model is right as often as it is sure."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dltool.declarations.component import register, requires
from dltool.figures.calibration import reliability_diagram
from dltool.metrics.accuracy import predicted_classes
from dltool.metrics.metric import Metric, State

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_BINS = 15


calibration_needs_probabilities = requires(
    lambda config: (
        "calibration_error" not in (config.task.metrics or ())
        or config.loss.name in ("cross_entropy", "binary_cross_entropy", "rbf_map")
    ),
    "task.metrics: calibration_error needs probabilities, and this loss does not train outputs to be probabilities",
    hint="loss=cross_entropy, or task.metrics without calibration_error",
)


@register("metric", "calibration_error", of="outputs", targets=("classes", "binary", "tags"), direction="min")
class CalibrationError(Metric):
    """The expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3), and plots/reliability.png.

    The confidence of a prediction is its probability, by the softmax of the outputs or the sigmoid of a single
    one. Fifteen bins of equal width cut (0, 1] into ((m - 1) / 15, m / 15], as in the paper's experiments; the
    error is the mean over the samples of |accuracy - mean confidence| of their bins.

    Attributes:
        sums: float64 `(3, 15)` on the host: samples, right ones, and the sum of the confidences in each bin.
    """

    picture = "reliability.png"

    def reset(self) -> None:
        self.sums = torch.zeros(3, NUM_BINS, dtype=torch.float64)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        confidence = confidences(outputs)
        bins = torch.bucketize(confidence, inner_edges())
        right = (predicted_classes(outputs) == targets).cpu().double()
        for i, values in enumerate((torch.ones_like(right), right, confidence)):
            self.sums[i] += bins.bincount(values, minlength=NUM_BINS)

    def state(self) -> State:
        return {"sums": self.sums.clone()}

    def merge_state(self, state: State) -> None:
        self.sums += state["sums"].cpu()

    def compute(self) -> float:
        counts, right, confidence = self.sums
        return float((right - confidence).abs().sum() / counts.sum())

    def figure(self, title: str) -> "Figure":
        return reliability_diagram(self.sums.numpy(), title)


def confidences(outputs: Tensor) -> Tensor:
    """The probability of each predicted class, float64 `(B,)` on the host."""
    outputs = outputs.detach().cpu().double()
    if outputs.shape[1] == 1:
        return outputs.squeeze(1).abs().sigmoid()  # Of -a, the other class has what a has.
    return outputs.softmax(dim=1).amax(dim=1)


def inner_edges() -> Tensor:
    """Where one bin ends and the next begins, float64 `(14,)`."""
    return torch.linspace(0, 1, NUM_BINS + 1, dtype=torch.float64)[1:-1]
