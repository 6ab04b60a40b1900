"""Two densities on a line: the best discriminator, the value of the GAN's game, and distances between them.

Densities are values at the nodes of a Quadrature. Everything is float64.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

NUM_PANELS, NUM_NODES = 48, 12  # Over the support of each density, and in each panel.
REACH = 9.0  # Standard deviations of a normal density that the nodes cover; beyond them its mass is below 1e-18.


def normal_mixture(x: np.ndarray, means: np.ndarray, std: float) -> np.ndarray:
    """The density of equally likely normal distributions of one standard deviation, at x `(N,)`.

    With samples as means and a bandwidth as standard deviation it is a kernel density.
    """
    z = (x[:, None] - means) / std
    density: np.ndarray = np.exp(-(z**2) / 2).mean(axis=1) / (std * math.sqrt(2 * math.pi))
    return density


def normal_mixture_cdf(x: np.ndarray, means: np.ndarray, std: float) -> np.ndarray:
    """The distribution function of the same mixture."""
    share: np.ndarray = torch.special.ndtr(torch.from_numpy((x[:, None] - means) / std)).mean(dim=1).numpy()
    return share


def silverman(samples: np.ndarray) -> float:
    """The bandwidth 0.9 min(std, IQR / 1.34) N^(-1/5) of samples `(N,)` (Silverman 1986, eq. 3.31).

    If the quartiles coincide it is that of the standard deviation alone, and tiny if all samples do.
    """
    low, high = np.percentile(samples, (25, 75))
    spreads = [spread for spread in (samples.std(), (high - low) / 1.34) if spread > 0]
    size = max(abs(samples).max(), 1.0)
    return max(0.9 * float(min(spreads, default=0.0)) * len(samples) ** -0.2, 1e-6 * size)


class Quadrature(NamedTuple):
    """Gauss-Legendre nodes in panels.

    Attributes:
        x: The nodes, ascending, `(N,)`.
        weights: `(N,)`.
    """

    x: np.ndarray
    weights: np.ndarray

    def integral(self, values: np.ndarray) -> float:
        """∫ values dx, for values at the nodes."""
        return float(self.weights @ values)


def quadrature(*supports: tuple[float, float]) -> Quadrature:
    """Nodes for integrals over several densities, each of which is resolved however narrow it is.

    Args:
        supports: An interval outside of which a density is 0 to rounding, for each.
    """
    whole = min(low for low, _ in supports), max(high for _, high in supports)
    edges = np.unique([np.linspace(low, high, NUM_PANELS + 1) for low, high in (*supports, whole)])
    places, weights = np.polynomial.legendre.leggauss(NUM_NODES)
    half = np.diff(edges)[:, None] / 2
    return Quadrature((edges[:-1, None] + half * (1 + places)).ravel(), (half * weights).ravel())


def optimal_discriminator(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """D*(x) = p(x) / (p(x) + q(x)), NaN where both densities are 0.

    For a fixed generator with density q it maximizes the value of the game (Goodfellow et al. 2014, arXiv:1406.2661,
    proposition 1).
    """
    total = p + q
    return np.divide(p, total, out=np.full_like(total, np.nan), where=total > 0)


def game_value(over: Quadrature, p: np.ndarray, q: np.ndarray, d: np.ndarray) -> float:
    """V(D) = ∫ p log D + q log(1 - D) dx, in nats; -log 4 for D = ½ everywhere.

    Args:
        over: The nodes.
        p: The density of the data.
        q: The density of the samples.
        d: D(x), in [0, 1]; 1 - D is taken as at least its rounding, 1e-16, since D* rounds to 1 where q > 0.
    """
    return over.integral(weighted_log(p, d) + weighted_log(q, np.maximum(1 - d, 2.0**-53)))


def jensen_shannon(over: Quadrature, p: np.ndarray, q: np.ndarray) -> float:
    """JS(p, q) = KL(p ‖ m) / 2 + KL(q ‖ m) / 2 with m = (p + q) / 2, in nats: 0 … log 2.

    V(D*) = 2 JS(p, q) - log 4 (Goodfellow et al. 2014, theorem 1).
    """
    middle = (p + q) / 2
    return over.integral(weighted_log(p, ratio(p, middle)) + weighted_log(q, ratio(q, middle))) / 2


def wasserstein_1(over: Quadrature, p_cdf: np.ndarray, q_cdf: np.ndarray) -> float:
    """The earth mover's distance ∫ |P(x) - Q(x)| dx of two distribution functions, in units of x."""
    return over.integral(np.abs(p_cdf - q_cdf))


def weighted_log(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """weight · log(values), 0 where the weight is 0."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(weight > 0, values, 1.0))
    return np.where(weight > 0, weight * logs, 0.0)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, 1 where below is 0."""
    return np.divide(above, below, out=np.ones_like(below), where=below > 0)
