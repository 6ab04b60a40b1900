"""Student's t distribution: its tails and quantiles, without SciPy, which is not a dependency."""

import math

TINY = 1e-300
ITERATIONS = 10_000


def two_sided_p(t: float, dof: float) -> float:
    """P(|T| ≥ |t|) for `dof` degrees of freedom: I_x(dof/2, 1/2) with x = dof / (dof + t²) (DLMF 8.17(i))."""
    return incomplete_beta(dof / 2, 0.5, dof / (dof + t * t)) if math.isfinite(t) else 0.0


def quantile(probability: float, dof: float) -> float:
    """The t with P(|T| ≤ t) = probability, in (0, 1), to the rounding of float64: 0.95 gives a 95 % interval's t."""
    low, high = 0.0, 1.0
    while two_sided_p(high, dof) > 1 - probability:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if two_sided_p(middle, dof) > 1 - probability else (low, middle)
    return middle


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b) for x in [0, 1].

    By the continued fraction DLMF 8.17.22 (https://dlmf.nist.gov/8.17#v), which converges fast for
    x < (a + 1) / (a + b + 2), evaluated by Lentz's algorithm; else by the symmetry I_x(a, b) = 1 - I_{1-x}(b, a).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, ITERATIONS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / nonzero(1 + term * d)
            c = nonzero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return math.exp(log_front) * fraction / a


def nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY
