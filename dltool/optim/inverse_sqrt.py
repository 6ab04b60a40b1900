"""The schedule of the Transformer, whose warm-up is part of its formula."""

from dltool.declarations.component import Positive, register
from dltool.optim.schedule import Schedule


@register("schedule", "inverse_sqrt")
class InverseSqrt(Schedule):
    """Noam: linear increase, then decay with the inverse square root of the step (Vaswani et al., 2017,
    arXiv:1706.03762).

    Equation 3, lr = d_model^-½ · min(s^-½, s·warmup_steps^-3/2) with s counted from 1, scaled so that the
    factor is 1 at its peak, s = warmup_steps: `optim.lr` is the peak, (d_model·warmup_steps)^-½ in the paper.

    Args:
        warmup_steps: The step of the peak.
    """

    def __init__(self, *, warmup_steps: Positive[int] = 4000) -> None:
        super().__init__(self.noam)
        self.peak_step = warmup_steps

    def noam(self, t: float, total: float) -> float:
        fraction = (t + 1) / self.peak_step
        return min(fraction**-0.5, fraction)
