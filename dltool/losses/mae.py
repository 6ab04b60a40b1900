"""Mean absolute error."""

import torch.nn.functional as F
from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.criterion import Criterion


@register("loss", "mae", targets=("numbers",), head="targets", tasks=("supervised",))
class MAE(Criterion):
    """|output - target|, summed over the target's components, averaged over the samples.

    Its minimum is at the conditional median, that of the squared error at the mean, so outliers have less influence.
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        return F.l1_loss(outputs, targets, reduction="sum") / len(targets), len(targets)
