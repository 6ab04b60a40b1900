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
    """Count the samples whose predicted class is the target; for small batches the count is deferred, see Hits.

    Args:
        outputs: Scores `(B, K)`, the largest of which is predicted, or `(B, 1)`, where a positive one means class 1.
        targets: Labels `(B,)`.
    """
    outputs = outputs.detach()
    return Hits(outputs, targets) if outputs.numel() <= SMALL else Mean(count_hits(outputs, targets), len(targets))


class Hits(Mean):
    """A Mean that keeps scores and labels, and compares them when it is added up, for many steps at once.

    The three kernels on a few numbers would cost each training step 20 µs on the CPU, and as much to launch on an
    accelerator.
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
    return (predicted_classes(outputs) == targets).count_nonzero()  # Cheaper than sum() on the CPU.


def label_accuracy(outputs: Tensor, targets: Tensor) -> Mean:
    """Count the correct decisions, one for each sample and label; see predicted_labels."""
    return Mean((predicted_labels(outputs) == targets.bool()).count_nonzero(), targets.numel())


def predicted_labels(outputs: Tensor) -> Tensor:
    """The labels whose probability is above 0.5, that is whose logit is positive, bool `(B, num_classes)`."""
    return outputs.detach() > 0


def predicted_classes(outputs: Tensor) -> Tensor:
    """The class with the largest of K scores, int64 `(B,)`; for one score, whether it is positive, bool `(B,)`."""
    return outputs.argmax(dim=1) if outputs.shape[1] > 1 else outputs.squeeze(1) > 0
