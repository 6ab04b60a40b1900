from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.figures.confusion import confusion_matrix
from dltool.figures.saving import save_figure


@pytest.mark.parametrize("num_classes", [2, 10, 100])
def test_a_row_is_colored_by_its_shares(num_classes: int, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Half of each class is right and half taken for its neighbour: two cells of every row are dark."""
    counts = np.diag(np.full(num_classes, 7)) + np.roll(np.diag(np.full(num_classes, 7)), 1, axis=1)
    counts[0] *= 1000  # However many the samples are.
    names = [f"$class_{i}" for i in range(num_classes)]
    save_figure(confusion_matrix(counts, names, "lenet on letters"), tmp_path / "confusion.png")
    pixels = np.asarray(Image.open(tmp_path / "confusion.png").convert("RGB")).astype(np.int16)
    white = (pixels == (247, 251, 255)).all(axis=2).sum()  # The colormap's 0.
    half = (np.abs(pixels - (33, 115, 182)).max(axis=2) < 12).sum()  # And its root of 1/2.
    if num_classes == 2:
        assert white < half
    else:
        assert half / (half + white) == pytest.approx(2 / num_classes, rel=0.35)
    assert not recwarn.list
