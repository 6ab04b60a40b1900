"""The picture of what an attack makes of images."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from dltool.figures.attacked import Predicted, attacked_images
from dltool.figures.saving import save_figure


@pytest.mark.parametrize("eps", [0.2, 0.0])
def test_draws_three_rows_in_colour(eps: float, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    clean = draw.random((3, 3, 6, 4))
    attacked = clean + eps * np.sign(draw.normal(size=clean.shape))
    predicted = Predicted(["ant", "bee", "bee"], [0.9, 0.8, 1.0]), Predicted(["bee", "bee", "ant"], [0.9, 0.8, 1.0])
    path = tmp_path / "plots" / "attacked.png"
    save_figure(
        attacked_images(clean, attacked.clip(0, 1) if eps else clean, predicted, ["ant", "bee", "bee"], "$x"), path
    )
    pixels = matplotlib.image.imread(path)[..., :3]
    coloured = (pixels.max(2) - pixels.min(2) > 0.2).any(1)
    assert coloured.sum() > 50  # Rows of the picture.
    if eps == 0:  # Nothing changed, which is a grey row, not a division by zero.
        assert (abs(pixels - 0.5) < 0.01).all(2).any(1).sum() > 20


def test_says_how_surely_only_where_that_is_known() -> None:
    assert Predicted(["ant", "bee"], [0.5, 1.0]).captions() == ["ant  50 %", "bee  100 %"]
    assert Predicted(["ant", "bee"]).captions() == ["ant", "bee"]


def test_a_wrong_prediction_has_a_mark() -> None:
    """The colours of right and wrong are alike in grey."""
    images = np.zeros((2, 1, 4, 4))
    predicted = Predicted(["ant", "bee"]), Predicted(["bee", "bee"])
    (axes,) = attacked_images(images, images, predicted, ["ant", "bee"]).axes
    assert [text.get_text() for text in axes.texts][3:] == ["ant", "bee", "bee ✗", "bee"]
