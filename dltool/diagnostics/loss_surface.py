"""The loss of a model of two parameters over these parameters, computed by the model itself, with its minima."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

NUM_NODES = 61  # Along each axis, where minima are searched.
NUM_STARTS = 8  # Nodes from which a minimum is searched.
ROUNDS = 100  # Of a search.
DIFFERENCE = 1e-5  # Of finite differences, relative to parameters of about one.
SMALL = 1e-6  # A gradient, or a curvature as a share of the other one, that counts as 0.
MARGIN, ENLARGED = 1.3, 3  # Of the window, beyond a minimum; at most.
APART = 0.01  # Of two minima, as a share of the window.
Loss = Callable[[Tensor], Tensor]  # Of parameters `(2,)`, float64; differentiable.


class LossSurface:
    """A function of two parameters in a window.

    Args:
        loss: The loss.
        names: Of the parameters.
        half: Half of the side of the window, a square around 0.
        starts: Parameters from which minima are searched, in addition to nodes of the window, `(S, 2)`. The window is
            enlarged, at most threefold, to contain the minima that are reached from there.

    Attributes:
        corners: The lower and the upper corner of the window.
        minima: The isolated minima that were found in the window, the lowest first, `(M, 2)`; M may be 0.
        minimum: The lowest of them, or else the lowest place that was seen, `(2,)`.
    """

    quantity = "loss"

    def __init__(self, loss: Loss, names: tuple[str, str], half: float, starts: Sequence[np.ndarray]) -> None:
        self.names = names
        self._loss = loss
        self._known: dict[tuple[float, float], float] = {}
        reached = [place for start in starts if (place := self._descend(start)) is not None]
        ends = [MARGIN * float(np.abs(place).max()) for place in reached]
        half = max([half, *(end for end in ends if end <= ENLARGED * half)])
        self.corners = np.full(2, -half), np.full(2, half)
        self.minima, self.minimum = self._find_minima(starts, reached)

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """The loss at parameters `(…, 2)`, `(…)`."""
        values = [self.at(one) for one in theta.reshape(-1, 2)]
        return np.array(values).reshape(theta.shape[:-1])

    def at(self, theta: np.ndarray) -> float:
        """The loss at parameters `(2,)`; each place is computed once."""
        key = (float(theta[0]), float(theta[1]))
        if key not in self._known:
            with torch.no_grad():
                self._known[key] = float(self._loss(torch.tensor(key, dtype=torch.float64)))
        return self._known[key]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The gradient at parameters `(…, 2)`, by automatic differentiation."""
        return np.array([self._slope(one) for one in theta.reshape(-1, 2)]).reshape(theta.shape)

    def excess(self, theta: np.ndarray) -> np.ndarray:
        """The loss minus that at the minimum, `(…)`."""
        values = self(theta)
        return values - self.at(self.minimum)

    def _slope(self, theta: np.ndarray) -> np.ndarray:
        place = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(self._loss(place), place)
        array: np.ndarray = slope.numpy()
        return array

    def _hessian(self, theta: np.ndarray) -> np.ndarray:
        """By central differences of the gradient, `(2, 2)`."""
        steps = np.diag(DIFFERENCE * np.maximum(1, np.abs(theta)))
        rows = [(self._slope(theta + step) - self._slope(theta - step)) / (2 * step.sum()) for step in steps]
        matrix = np.array(rows)
        return (matrix + matrix.T) / 2

    def _find_minima(
        self, starts: Sequence[np.ndarray], reached: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.corners
        axes = [np.linspace(low[i], high[i], NUM_NODES) for i in range(2)]
        nodes = np.stack(np.meshgrid(*axes), axis=-1)
        values = np.nan_to_num(self(nodes), nan=np.inf)
        chosen = sorted(nodes[is_lowest_around(values)], key=self.at)[:NUM_STARTS]
        found = [*reached, *(place for start in chosen if (place := self._descend(start)) is not None)]
        size = float((high - low).max())
        minima: list[np.ndarray] = []
        for place in sorted(found, key=self.at):
            inside = bool(((place >= low) & (place <= high)).all())
            if inside and all(np.abs(place - other).max() > APART * size for other in minima):
                minima.append(place)
        lowest = nodes[np.unravel_index(values.argmin(), values.shape)]
        seen = min([*minima, lowest, *starts], key=self.at)
        return np.array(minima).reshape(-1, 2), minima[0] if minima else seen

    def _descend(self, start: np.ndarray) -> np.ndarray | None:
        """The isolated minimum that damped Newton steps reach from a place; None if they reach none.

        Negative curvatures count by their size, so that a step leads away from a saddle.
        """
        place, damping = start, SMALL
        for _ in range(ROUNDS):
            slope = self._slope(place)
            curvatures, axes = np.linalg.eigh(np.nan_to_num(self._hessian(place)))
            if np.abs(slope).max() <= SMALL * max(abs(curvatures[1]), SMALL) and damping <= 1:
                break
            step = -axes @ ((axes.T @ slope) / (np.abs(curvatures) + damping))
            if self.at(place + step) < self.at(place):
                place, damping = place + step, max(damping / 10, SMALL**2)
            else:
                damping *= 10
        is_isolated = curvatures[0] > SMALL * curvatures[1] and np.abs(slope).max() <= SMALL * max(curvatures[1], SMALL)
        return place if is_isolated else None


def is_lowest_around(values: np.ndarray) -> np.ndarray:
    """Which nodes inside a grid are lower than their eight neighbours, boolean `(G, G)`."""
    padded = np.pad(values, 1, constant_values=-np.inf)
    shifts = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2) if (i, j) != (1, 1)]
    rows, columns = values.shape
    around = np.stack([padded[i : i + rows, j : j + columns] for i, j in shifts])
    lowest: np.ndarray = np.all(values < around, axis=0)
    return lowest
