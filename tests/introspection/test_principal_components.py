"""Principal components are those of numpy's singular value decomposition."""

import numpy as np
import pytest
import torch

from dltool.introspection.principal_components import principal_plane


@pytest.mark.parametrize("shape", [(50, 12), (5, 40), (2, 3), (7, 1), (1, 4)])
def test_they_are_those_of_numpy(shape: tuple[int, int]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    plane = principal_plane(values)
    centred = values.double().numpy() - values.double().numpy().mean(axis=0)
    _, lengths, rows = np.linalg.svd(centred, full_matrices=False)
    places = plane.places(values).numpy()
    assert places.shape == (shape[0], 2)
    for axis in range(min(2, *shape)):
        expected = centred @ rows[axis]
        np.testing.assert_allclose(np.abs(places[:, axis]), np.abs(expected), atol=1e-6)
        total = (lengths**2).sum()
        assert plane.shares[axis] == pytest.approx(lengths[axis] ** 2 / total if total else 0, abs=1e-6)
        if total:
            assert plane.directions[axis, plane.directions[axis].abs().argmax()] > 0


def test_equal_vectors_are_one_point() -> None:
    plane = principal_plane(torch.ones(6, 3))
    assert plane.shares == (0.0, 0.0)
    assert not plane.places(torch.ones(6, 3)).any()
