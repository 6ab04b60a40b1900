from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.figures.mistakes import misclassified_images
from dltool.figures.saving import save_figure

LONG = "a class with a very long name"


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 224, 200), (2, 16, 40)])
def test_mistakes_of_all_sizes(shape: tuple[int, int, int], tmp_path: Path) -> None:
    images = 255 * np.random.default_rng(0).random((3, *shape))
    figure = misclassified_images(
        images, ["狗", LONG, LONG], [LONG, "狗", "狗"], "title", probabilities=[0.9, 0.8, 0.7]
    )
    assert [text.get_text() for text in figure.axes[0].texts[:2]] == ["狗  90 %", "a class with a…"]
    save_figure(figure, tmp_path / "wrong.png")
    assert (tmp_path / "wrong.png").stat().st_size > 5000
    assert max(Image.open(tmp_path / "wrong.png").size) < 2500


def test_scores_that_are_no_probabilities_are_left_out() -> None:
    figure = misclassified_images(np.zeros((1, 1, 2, 2)), ["cat"], ["dog"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["cat", "dog"]
