import numpy as np

from dltool.figures.image_table import image_table


def test_rows_and_columns_have_their_names() -> None:
    images = np.random.default_rng(0).random((2, 3, 1, 8, 8))
    figure = image_table(images, (0, 1), ["first", "second"], ["t=2", "t=1", "t=0"], "a title")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["t=2", "t=1", "t=0"]
    assert figure.get_suptitle() == "a title"


def test_every_image_is_at_its_place() -> None:
    """Each image has one grey level, which its tile has too."""
    levels = np.linspace(0, 1, 6).reshape(2, 3)
    figure = image_table(np.broadcast_to(levels[:, :, None, None, None], (2, 3, 1, 4, 4)), (0, 1), "ab", "cde")
    (image,) = figure.axes[0].images
    pixels = np.asarray(image.get_array())
    height, width = pixels.shape[:2]
    for row in range(2):
        for column in range(3):
            seen = pixels[int(height * (row + 0.5) / 2), int(width * (column + 0.5) / 3)]
            assert np.allclose(seen, levels[row, column], atol=0.01)
