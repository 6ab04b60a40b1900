"""A drawing on paper is placed as MNIST's digits are."""

import numpy as np
import pytest

from dltool.data.digit_fit import MNIST_EXTENT, fit_digit


def on_paper(height: int = 200, width: int = 300, gradient: float = 0.0, ink: float = 0.3) -> np.ndarray:
    """A dark L of 60×40 pixels, its strokes 10 wide, at the top left of paper of the brightness 160."""
    y, x = np.mgrid[0:height, 0:width]
    paper = 160 + gradient * (x / width - 0.5) * 160 + np.random.default_rng(0).normal(0, 2, (height, width))
    drawn = (y >= 30) & (y < 90) & (x >= 50) & (x < 90) & ((x < 60) | (y >= 80))
    return np.where(drawn, ink * paper, paper).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("gradient", [0.0, 0.5])
@pytest.mark.parametrize("light", [False, True])
def test_a_drawing_is_scaled_and_centred_by_its_mass(gradient: float, light: bool) -> None:
    paper = on_paper(gradient=gradient)
    placed = fit_digit(255 - paper if light else paper, (28, 28), MNIST_EXTENT)
    ink = placed.astype(float) if light else 255.0 - placed
    rows, columns = np.nonzero(ink.max(1) > 60)[0], np.nonzero(ink.max(0) > 60)[0]
    assert rows[-1] - rows[0] + 1 == pytest.approx(20, abs=1)
    assert columns[-1] - columns[0] + 1 == pytest.approx(20 * 40 / 60, abs=1)  # The aspect ratio is kept.
    for axis in (0, 1):
        mass = ink.sum(1 - axis)
        assert mass @ (np.arange(28) + 0.5) / mass.sum() == pytest.approx(14, abs=1)
    assert ink.max() == 255
    assert np.median(ink) == 0
    assert (ink[-3:] == 0).all()  # The heavier lower end is nearer to the centre.


def test_specks_and_what_touches_the_border_are_left_out() -> None:
    clean = on_paper()
    dirty = clean.copy()
    dirty[150:152, 250:252] = 40  # A speck.
    dirty[170:, 280:] = 20  # The table beside the paper.
    assert np.abs(fit_digit(dirty, (28, 28), MNIST_EXTENT).astype(int) - fit_digit(clean, (28, 28), 20 / 28)).mean() < 3


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (28, 28), (500, 400)])
def test_an_image_without_a_drawing_is_its_background(shape: tuple[int, int]) -> None:
    placed = fit_digit(np.full(shape, 190, np.uint8), (28, 28), MNIST_EXTENT)
    assert placed.shape == (28, 28)
    assert len(np.unique(placed)) == 1
