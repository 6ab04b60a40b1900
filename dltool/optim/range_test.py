"""The learning rate range test."""

from dltool.declarations.component import Positive, register, requires
from dltool.optim.schedule import Schedule


@register("schedule", "range_test")
@requires(
    lambda config: config.schedule.low < config.schedule.high,
    "schedule.low must be smaller than schedule.high",
    hint="schedule.low=1e-4 schedule.high=1e4",
)
class RangeTest(Schedule):
    """A rate that grows exponentially from step to step, to see between which rates the loss falls.

    The t-th of T steps has η_t = η₀ (η₁/η₀)^(t/(T-1)), with η₀ = low · optim.lr and η₁ = high · optim.lr (Smith 2017,
    arXiv:1506.01186, section 3.3, with a linear growth there). The loss of each step is logged, the training stops when
    it diverges, and plots/range_test.png shows it against the rate, with a suggested range. All optimizers of a
    task grow by the same factor.

    Args:
        low, high: The first and the last factor of optim.lr.
    """

    logs_every_step = True

    def __init__(self, *, low: Positive[float] = 1e-4, high: Positive[float] = 1e4) -> None:
        super().__init__(self.factor)
        self.low = low
        self.high = high

    def factor(self, t: float, total: float) -> float:
        """The factor of optim.lr at time t."""
        return float(self.low * (self.high / self.low) ** (t / max(total - 1, 1)))
