"""Bias² and variance sum to the squared error, and are those of a known estimator."""

import numpy as np
import pytest

from dltool.diagnostics.decomposition import decompose


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_they_sum_to_the_error(scale: float) -> None:
    rng = np.random.default_rng(0)
    targets = scale * rng.normal(size=50)
    found = decompose(targets + scale * rng.normal(size=(7, 50)), targets)
    assert found.bias2 + found.variance == pytest.approx(found.mse, rel=1e-12)
    assert min(found) > 0


def test_the_same_prediction_has_no_variance_and_a_symmetric_one_no_bias() -> None:
    targets = np.array([1.0, -2.0, 0.5])
    constant = decompose(np.stack([targets + 3, targets + 3]), targets)
    assert constant == pytest.approx((9, 9, 0), abs=1e-12)
    symmetric = decompose(np.stack([targets + 2, targets - 2]), targets)
    assert symmetric == pytest.approx((4, 0, 4), abs=1e-12)


def test_float32_is_summed_in_float64() -> None:
    predictions = np.full((2, 1), 16_777_217, dtype=np.float64)
    assert decompose(predictions, np.array([16_777_216.0])).mse == 1
