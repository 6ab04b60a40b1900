"""The least-squares surface: the mean squared error of a linear model of two parameters, in closed form."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quadratic:
    """E(θ) = θᵀ A θ - 2 cᵀ θ + d for the mean of (φᵀ θ - y)² over samples, with two parameters θ.

    For φ = (x, 1) and θ = (w, b) this is E = w² x̄² + b² + ȳ² + 2wb x̄ - 2w x̄y - 2b ȳ, where a bar over a product is
    the mean of the products.

    Attributes:
        A: Mean of φ φᵀ, float64 `(2, 2)`; the Hessian is 2A.
        c: Mean of φ y, `(2,)`.
        d: Mean of y².
        names: Of the parameters.
        quantity: What E is.
    """

    A: np.ndarray
    c: np.ndarray
    d: float
    names: tuple[str, str]
    quantity: str = "mean squared error"

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, names: tuple[str, str], factor: float = 1.0) -> "Quadratic":
        """The surface of samples.

        Args:
            features: φ of each sample, `(N, 2)`.
            targets: y, `(N,)`.
            names: Of the parameters.
            factor: Of the squared error; ½ in the loss of many derivations.
        """
        phi, y = features.astype(np.float64), targets.astype(np.float64)
        scale = factor / len(y)
        quantity = "mean squared error" if factor == 1 else "loss"
        return cls(scale * (phi.T @ phi), scale * (phi.T @ y), scale * float(y @ y), names, quantity)

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """E at parameters `(…, 2)`, `(…)`."""
        value: np.ndarray = np.einsum("...i,ij,...j", theta, self.A, theta) - 2 * theta @ self.c + self.d
        return value

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """dE/dθ = 2(Aθ - c) at parameters `(…, 2)`."""
        return 2 * (theta @ self.A - self.c)

    @property
    def minimum(self) -> np.ndarray:
        """The least-squares solution, `(2,)`; of several the one of smallest norm."""
        solution: np.ndarray = np.linalg.pinv(self.A) @ self.c
        return solution

    @property
    def minima(self) -> np.ndarray:
        """The minimum, `(1, 2)`."""
        return self.minimum[None]

    def excess(self, theta: np.ndarray) -> np.ndarray:
        """E(θ) - E(θ*) = (θ - θ*)ᵀ A (θ - θ*) at parameters `(…, 2)`, which does not cancel near the minimum."""
        gap = theta - self.minimum
        value: np.ndarray = np.einsum("...i,ij,...j", gap, self.A, gap)
        return value

    @property
    def curvatures(self) -> tuple[float, float]:
        """The smallest and the largest eigenvalue of the Hessian 2A."""
        low, high = np.linalg.eigvalsh(2 * self.A)
        return float(low), float(high)

    @property
    def largest_rate(self) -> float:
        """2 / λ_max: gradient descent with a constant rate converges below it and diverges above it."""
        return 2 / self.curvatures[1]

    @property
    def condition(self) -> float:
        """λ_max / λ_min: the ratio of the axes of the elliptic contours, squared."""
        low, high = self.curvatures
        return high / low if low > 0 else float("inf")
