"""The confusion matrix."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.figures.confusion import confusion_matrix
from dltool.metrics.accuracy import predicted_classes
from dltool.metrics.metric import Metric, State

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ConfusionMetric(Metric):
    """Base class of the metrics that are computed from the confusion matrix.

    Attributes:
        counts: int64 `(K, K)`, on the device of the outputs: samples of class i (row) predicted as class j.
    """

    def reset(self) -> None:
        self.counts = torch.zeros(self.spec.num_classes, self.spec.num_classes, dtype=torch.int64)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.counts = self.counts.to(outputs.device)  # Copies once, with the first batch.
        cells = targets * self.spec.num_classes + predicted_classes(outputs)  # (B,)
        # Not bincount, which synchronizes an accelerator to find the largest cell.
        self.counts.view(-1).scatter_add_(0, cells, torch.ones_like(cells))

    def state(self) -> State:
        return {"counts": self.counts.clone()}

    def merge_state(self, state: State) -> None:
        self.counts = self.counts + state["counts"].to(self.counts.device)


@register("metric", "confusion", of="outputs", targets=("classes", "binary", "tags"))
class Confusion(ConfusionMetric):
    """The confusion matrix of the test split, drawn as plots/confusion.png; it has no value and no direction."""

    is_number = False
    picture = "confusion.png"

    def compute(self) -> None:
        return None

    def figure(self, title: str) -> "Figure":
        return confusion_matrix(self.counts.cpu().numpy(), self.spec.class_names, title)
