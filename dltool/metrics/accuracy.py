"""The share of samples that are classified correctly."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric

SMALL = 4096


@register("metric", "accuracy", of="outputs", targets=("classes", "binary", "tags"), direction="max")
class Accuracy(MeanMetric):
    """The share of samples whose predicted class is the target."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return accuracy(outputs, targets)


def accuracy(outputs: Tensor, targets: Tensor) -> Mean:
    """Count the samples whose predicted class is the target, small batches' later.

    Args:
        outputs: Scores `(B, K)`, of which the largest wins, or `(B, 1)`, where a positive one means class 1.
        targets: Labels `(B,)`.
    """
    outputs = outputs.detach()
    return Hits(outputs, targets) if outputs.numel() <= SMALL else Mean(count_hits(outputs, targets), len(targets))


class Hits(Mean):
    """Where a Mean goes, scores and labels: compared when they are added up, those of many steps at once.

    Three kernels on a few numbers cost a training step 20 µs on the CPU and as much to launch on an accelerator.
    """

    __slots__ = ()

    @property
    def total(self) -> Tensor:
        return count_hits(*self)  # type: ignore[arg-type]

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(self[1])  # type: ignore[arg-type]

    @staticmethod
    def read(parts: Sequence[Mean]) -> tuple[list[float], list[float]]:
        outputs, targets = (torch.cat([part[i] for part in parts]) for i in range(2))  # type: ignore[misc]
        return [float(count_hits(outputs, targets))], [float(len(targets))]


def count_hits(outputs: Tensor, targets: Tensor) -> Tensor:
    return (predicted_classes(outputs) == targets).count_nonzero()  # On the CPU cheaper than sum().


def predicted_classes(outputs: Tensor) -> Tensor:
    """The class of the largest of K scores, int64 `(B,)`; of one score, whether it is positive, bool `(B,)`."""
    return outputs.argmax(dim=1) if outputs.shape[1] > 1 else outputs.squeeze(1) > 0
