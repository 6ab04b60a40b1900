"""The share of samples that are predicted without an error, of sequences or of several labels."""

from torch import Tensor
from torch.nn import functional as F

from dltool.core.spec import PAD
from dltool.declarations.component import register
from dltool.metrics.accuracy import predicted_labels
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


@register("metric", "exact_match", of="outputs", targets=("sequence", "labels"), direction="max")
class ExactMatch(MeanMetric):
    """The share of sequences in which every token is correct, or of samples whose labels are all correct."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        if self.spec.target == "labels":
            return Mean((predicted_labels(outputs) == targets.bool()).all(dim=1).count_nonzero(), len(targets))
        return Mean(same_texts(outputs, targets).sum(), len(targets))


def same_texts(written: Tensor, targets: Tensor) -> Tensor:
    """Whether each row of `(B, U)` equals that of `(B, V)`, both right-padded, bool `(B,)`."""
    length = max(written.shape[1], targets.shape[1])
    both = [F.pad(rows, (0, length - rows.shape[1]), value=PAD) for rows in (written, targets)]
    return (both[0] == both[1]).all(dim=1)
