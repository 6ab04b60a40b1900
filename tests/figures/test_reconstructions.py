import numpy as np

from dltool.figures.reconstructions import COLUMNS, reconstructed_images


def test_a_row_of_originals_over_their_reconstructions() -> None:
    images = np.random.default_rng(0).random((COLUMNS + 3, 1, 8, 8)) * 255
    (axes,) = reconstructed_images(images, images, "a title").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["original", "reconstruction"] * 2
