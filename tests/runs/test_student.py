"""Student's t against closed forms, tables and SciPy."""

import math

import pytest

from dltool.runs.student import incomplete_beta, quantile, two_sided_p

# 97.5 % quantiles to 12 digits: tan(0.475 π) for one degree of freedom, 0.95 √(2 / (1 - 0.95²)) for two.
KNOWN = {
    1: math.tan(0.475 * math.pi),
    2: 0.95 * math.sqrt(2 / (1 - 0.95**2)),
    4: 2.776445105198,
    10: 2.228138851986,
    30: 2.042272456301,
}


@pytest.mark.parametrize("dof", KNOWN)
def test_quantiles(dof: int) -> None:
    assert quantile(0.95, dof) == pytest.approx(KNOWN[dof], rel=1e-9)
    assert two_sided_p(KNOWN[dof], dof) == pytest.approx(0.05, abs=1e-9)


def test_tails_in_closed_form() -> None:
    for t in (0.0, 0.1, 1.0, 3.0, 20.0):
        assert two_sided_p(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), abs=1e-12)
        assert two_sided_p(-t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-12)
        normal = math.erfc(t / math.sqrt(2))
        assert two_sided_p(t, 10**8) == pytest.approx(normal, abs=1e-7)
    assert two_sided_p(math.inf, 5) == 0


def test_the_incomplete_beta_function() -> None:
    assert incomplete_beta(2, 3, 0) == 0
    assert incomplete_beta(2, 3, 1) == 1
    for x in (0.1, 0.4, 0.9):  # I_x(2, 3) = 6x² - 8x³ + 3x⁴
        assert incomplete_beta(2, 3, x) == pytest.approx(6 * x**2 - 8 * x**3 + 3 * x**4, abs=1e-12)


def test_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for dof in (1, 2.5, 9, 99, 1000):
        for probability in (0.5, 0.9, 0.95, 0.999):
            assert quantile(probability, dof) == pytest.approx(stats.t.ppf(0.5 + probability / 2, dof), rel=1e-9)
        for t in (0.01, 1, 2.3, 50):
            assert two_sided_p(t, dof) == pytest.approx(2 * stats.t.sf(t, dof), rel=1e-9)
