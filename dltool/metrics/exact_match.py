"""The share of sequences that are generated without an error."""

from torch import Tensor
from torch.nn import functional as F

from dltool.core.spec import PAD
from dltool.declarations.component import register
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


@register("metric", "exact_match", of="outputs", targets=("sequence",), direction="max")
class ExactMatch(MeanMetric):
    """The share of sequences in which every token is correct."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        return Mean(same_texts(outputs, targets).sum(), len(targets))


def same_texts(written: Tensor, targets: Tensor) -> Tensor:
    """Whether each row of `(B, U)` equals that of `(B, V)`, both right-padded, bool `(B,)`."""
    length = max(written.shape[1], targets.shape[1])
    both = [F.pad(rows, (0, length - rows.shape[1]), value=PAD) for rows in (written, targets)]
    return (both[0] == both[1]).all(dim=1)
