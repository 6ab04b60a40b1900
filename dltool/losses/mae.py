"""Mean absolute error."""

import torch.nn.functional as F
from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.criterion import Criterion


@register("loss", "mae", targets=("numbers",), head="targets", tasks=("supervised",))
class MAE(Criterion):
    """|output - target|, summed over the target's components, averaged over the samples.

    It is least at the conditional median, where the squared error is least at the mean, so outliers pull less.
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        return F.l1_loss(outputs, targets, reduction="sum") / len(targets), len(targets)
