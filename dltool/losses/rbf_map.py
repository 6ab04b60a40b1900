"""The criterion of LeNet-5."""

import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.losses.criterion import Criterion


@register("loss", "rbf_map", targets=("classes", "binary"), head="classes", tasks=("supervised",))
@requires(
    lambda config: config.loss.competition or (config.model.name == "lenet5_1998" and config.model.output == "rbf"),
    "loss.competition=false has a minimum only if the outputs are distances",
    hint="model=lenet5_1998, or loss.competition=true",
)
class RbfMap(Criterion):
    """The maximum a posteriori criterion of LeCun et al. (1998), section II.C, averaged over the samples.

    The outputs are minus the penalties y_i, the squared distances to the classes' codes. Eq. 9 is
    y_D + log(exp(-j) + sum_i exp(-y_i)): it decreases the penalty of the true class D and increases those of the
    others where they compete. It is a cross-entropy with one more class, "rubbish", of penalty j.

    Args:
        competition: Whether to include the second term. Without it this is eq. 8, the mean squared error to
            the code of the true class, which needs fixed codes (trainable ones would all collapse).
        rubbish_penalty: j, which stops increasing penalties that are already far above it. The
            paper asks for a positive one; 0.1 is dltool's choice.
    """

    def __init__(self, spec: DataSpec, *, competition: bool = True, rubbish_penalty: Positive[float] = 0.1) -> None:
        super().__init__(spec)
        self.competition = competition
        self.rubbish_penalty = rubbish_penalty

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        penalties = -outputs.gather(1, targets[:, None])  # (B, 1)
        if self.competition:
            rubbish = torch.full_like(penalties, -self.rubbish_penalty)
            penalties = penalties + torch.cat([outputs, rubbish], dim=1).logsumexp(dim=1, keepdim=True)
        return penalties.mean(), len(targets)

    def probabilities(self, outputs: Tensor) -> Tensor:
        """The probabilities among the classes, without the rubbish class."""
        return outputs.softmax(dim=1)
