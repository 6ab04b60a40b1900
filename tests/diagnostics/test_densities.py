"""The game of a GAN on a line: the identities of Goodfellow et al. (2014), and distances with closed forms."""

import math

import numpy as np
import pytest

from dltool.diagnostics.densities import (
    Quadrature,
    game_value,
    jensen_shannon,
    normal_mixture,
    normal_mixture_cdf,
    optimal_discriminator,
    quadrature,
    silverman,
    wasserstein_1,
)

LOG4 = math.log(4)


def nodes(mean: float, std: float) -> Quadrature:
    return quadrature((-9, 9), (mean - 9 * std, mean + 9 * std))


def normals(mean: float, std: float) -> tuple[Quadrature, np.ndarray, np.ndarray]:
    """Nodes, p = N(0, 1), q = N(mean, std²)."""
    over = nodes(mean, std)
    return over, normal_mixture(over.x, np.zeros(1), 1), normal_mixture(over.x, np.array([mean]), std)


def earth(mean: float, std: float) -> float:
    """W₁ of the same two."""
    over = nodes(mean, std)
    p, q = normal_mixture_cdf(over.x, np.zeros(1), 1), normal_mixture_cdf(over.x, np.array([mean]), std)
    return wasserstein_1(over, p, q)


@pytest.mark.parametrize(("mean", "std"), [(1, 1), (0.5, 2), (-2, 0.3), (3, 1.5), (0.1, 0.01)])
def test_the_value_of_the_best_discriminator(mean: float, std: float) -> None:
    x, p, q = normals(mean, std)
    best = optimal_discriminator(p, q)
    value = game_value(x, p, q, best)
    assert value == pytest.approx(2 * jensen_shannon(x, p, q) - LOG4, abs=1e-10)
    for other in (best**2, best * 0.9 + 0.05, np.full_like(best, 0.5)):
        assert game_value(x, p, q, other) < value


def test_equal_densities() -> None:
    x, p, _ = normals(0, 1)
    both = p > 0
    assert (optimal_discriminator(p, p)[both] == 0.5).all()
    assert jensen_shannon(x, p, p) == 0
    assert earth(0, 1) == 0
    assert game_value(x, p, p, np.full_like(p, 0.5)) == pytest.approx(-LOG4, abs=1e-10)


def test_disjoint_densities() -> None:
    x, p, q = normals(100, 1)
    assert jensen_shannon(x, p, q) == pytest.approx(math.log(2), abs=1e-10)
    assert game_value(x, p, q, optimal_discriminator(p, q)) == pytest.approx(0, abs=1e-10)
    assert np.isnan(optimal_discriminator(p, q)).any()  # Between them both are 0.


@pytest.mark.parametrize(("mean", "std", "distance"), [
    (2, 1, 2), (-100, 1, 100), (0, 2, math.sqrt(2 / math.pi)), (0, 0.25, 0.75 * math.sqrt(2 / math.pi)),
])  # fmt: skip
def test_earth_movers_distance(mean: float, std: float, distance: float) -> None:
    """|mean| for a shift, |std - 1| E|z| for another width."""
    assert earth(mean, std) == pytest.approx(distance, abs=1e-6)


def test_jensen_shannon_saturates_where_the_earth_movers_distance_does_not() -> None:
    far, farther = normals(50, 1), normals(80, 1)
    assert jensen_shannon(*far) == pytest.approx(jensen_shannon(*farther), abs=1e-10)
    assert earth(80, 1) - earth(50, 1) == pytest.approx(30, abs=1e-6)


def test_kernel_density() -> None:
    samples = np.random.default_rng(0).normal(3, 0.5, 4000)
    width = silverman(samples)
    assert width == pytest.approx(0.9 * 0.5 * 4000**-0.2, rel=0.05)
    over = quadrature((-1, 7))
    q = normal_mixture(over.x, samples, width)
    assert over.integral(q) == pytest.approx(1, abs=1e-10)
    assert jensen_shannon(over, normal_mixture(over.x, np.array([3.0]), 0.5), q) < 0.003
    assert silverman(np.full(10, 2.0)) > 0
