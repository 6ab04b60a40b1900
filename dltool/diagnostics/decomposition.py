"""The squared error of repeated trainings as bias² and variance."""

from typing import NamedTuple

import numpy as np


class Decomposition(NamedTuple):
    """mse = bias2 + variance, exactly.

    Attributes:
        mse: Mean of (f_s(x) - y)² over repetitions s and samples.
        bias2: Mean of (f̄(x) - y)², with f̄ the mean over the repetitions; it contains the noise of y.
        variance: Mean of (f_s(x) - f̄(x))².
    """

    mse: float
    bias2: float
    variance: float


def decompose(predictions: np.ndarray, targets: np.ndarray) -> Decomposition:
    """Split the error of several trainings on the same samples.

    Args:
        predictions: `(S, N)`, a row for each repetition.
        targets: `(N,)`.
    """
    f, y = predictions.astype(np.float64), targets.astype(np.float64)
    mean = f.mean(axis=0)
    return Decomposition(float(((f - y) ** 2).mean()), float(((mean - y) ** 2).mean()), float(((f - mean) ** 2).mean()))
