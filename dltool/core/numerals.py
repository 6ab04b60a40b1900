"""Numbers, formatted for reading."""

import math
import statistics
from collections.abc import Sequence
from typing import Any


def numeral(value: float) -> str:
    """Four decimals; one for large numbers, an exponent where four decimals would show only zeros, none for counts."""
    size = abs(value)
    if 2 <= size < 1e6 and float(value).is_integer():
        return f"{value:.0f}"
    if not math.isfinite(value) or value == 0 or 1e-3 <= size < 100:
        return f"{value:.4f}"
    return f"{value:.1f}" if 100 <= size < 1e6 else f"{value:.3g}"


def is_number(value: object) -> bool:
    """Whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite_number(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def counted(number: int, noun: str) -> str:
    """A count with its noun: "1 step", "2,000 steps"."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation (that of a sample, n - 1), both with the same digits."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return numeral(mean)
    return f"{numeral(mean)} ± {with_decimals(statistics.stdev(values), decimals_of(mean))}"


def decimals_of(value: float) -> int | None:
    """How many decimals the numeral of a value has; None for a count or an exponent."""
    text = numeral(value)
    return None if "e" in text else len(text.partition(".")[2]) or None


def with_decimals(value: float, decimals: int | None) -> str:
    """A value with so many decimals; its own numeral for None."""
    return numeral(value) if decimals is None else f"{value:.{decimals}f}"
