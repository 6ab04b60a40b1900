"""What a learning rate range test shows: the smoothed loss against the rate, and a range of rates to try."""

import math
from collections.abc import Sequence
from typing import NamedTuple

SMOOTHING = 0.9
DIVERGED = 4.0  # The smoothed loss, as a multiple of its smallest value so far, at which the test ends.
FALLEN = (0.1, 0.9)  # Shares of the whole fall of the smoothed loss at the ends of the range.


class SuggestedRange(NamedTuple):
    """Rates at which the loss falls.

    Attributes:
        low: The rate at which the smoothed loss has fallen by a tenth of its whole fall.
        high: The rate at which nine tenths of the fall are done; larger ones help little more, or diverge.
    """

    low: float
    high: float


def smoothed(losses: Sequence[float], beta: float = SMOOTHING) -> list[float]:
    """The exponential moving average, m_t = β m_{t-1} + (1-β) l_t, bias-corrected by 1/(1-βᵗ)."""
    values, mean = [], 0.0
    for t, loss in enumerate(losses, start=1):
        mean = beta * mean + (1 - beta) * loss
        values.append(mean / (1 - beta**t))
    return values


def has_diverged(losses: Sequence[float]) -> bool:
    """Whether the newest smoothed loss is not finite, or far above the smallest one.

    A loss that may be negative has no multiple; there only the first condition counts.
    """
    if not losses:
        return False
    if not math.isfinite(losses[-1]):
        return True
    values = smoothed(losses)
    least = min(values)
    return least > 0 and len(values) > 10 and values[-1] > DIVERGED * least


def suggested_range(rates: Sequence[float], losses: Sequence[float]) -> SuggestedRange | None:
    """The rates over which the smoothed loss falls from 10 % to 90 % of its whole fall; None if it never falls.

    Args:
        rates: Of each step, increasing.
        losses: Of each step.
    """
    finite = [(rate, loss) for rate, loss in zip(rates, losses, strict=True) if math.isfinite(loss)]
    if len(finite) < 3:
        return None
    values = smoothed([loss for _, loss in finite])
    end = min(range(len(values)), key=values.__getitem__)
    start = max(range(end + 1), key=values.__getitem__)  # The fall begins at the largest value before the smallest.
    fall = values[start] - values[end]
    if end == start or fall <= 0:
        return None
    reached = [
        next(place for place in range(start, end + 1) if values[start] - values[place] >= share * fall)
        for share in FALLEN
    ]
    return SuggestedRange(finite[reached[0]][0], finite[reached[1]][0])
