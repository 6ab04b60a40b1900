from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.figures.kernels import kernel_grid
from dltool.figures.saving import save_figure


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (64, 3, 11, 11), (40, 2, 3, 7), (4, 30, 3, 3), (300, 1, 28, 28)])
def test_kernels_of_all_kinds(shape: tuple[int, ...], tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    save_figure(kernel_grid(weights, "features.0", "$x", whole=shape[2] == 28), tmp_path / "a" / "kernels.png")
    width, height = Image.open(tmp_path / "a" / "kernels.png").size
    assert max(width, height) < 2500


def test_zero_is_the_middle_of_the_scale(tmp_path: Path) -> None:
    weights = np.zeros((2, 1, 2, 2), np.float32)
    weights[0, 0, 0, 0], weights[1] = -2.0, np.nan
    save_figure(kernel_grid(weights, "conv"), tmp_path / "kernels.png")
    values, counts = np.unique(np.asarray(Image.open(tmp_path / "kernels.png").convert("L")), return_counts=True)
    share = dict(zip(values.tolist(), (counts / counts.sum()).tolist(), strict=True))
    grey = share.get(127, 0) + share.get(128, 0)
    assert grey > 5 * share[0] > 0.05  # Seven of eight weights are 0 (or none), one is black.
