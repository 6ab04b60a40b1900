"""A measured number as a person reads it."""

import math


def numeral(value: float) -> str:
    """Four decimals, one for large numbers, an exponent where those would say nothing, none for a count."""
    size = abs(value)
    if 2 <= size < 1e6 and float(value).is_integer():
        return f"{value:.0f}"
    if not math.isfinite(value) or value == 0 or 1e-3 <= size < 100:
        return f"{value:.4f}"
    return f"{value:.1f}" if 100 <= size < 1e6 else f"{value:.3g}"
