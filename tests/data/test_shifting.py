import pytest
import torch
from torch.nn import functional as F

from dltool.data.shifting import Shifter, gather_windows, windows
from dltool.randomness import generator


def random_images(count, channels=3, height=7, width=9):
    return torch.randint(
        1, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator(0, "augment test")
    )


def reference(image, move, shift):
    """One sample at a time, as a reader would write it."""
    flip, down, right = move.tolist()
    if flip:
        image = image.flip(-1)
    height, width = image.shape[1:]
    padded = F.pad(image, (shift, shift, shift, shift))
    return padded[:, down : down + height, right : right + width]


@pytest.mark.parametrize(("shift", "flip"), [(0, True), (1, False), (4, True), (8, True)])
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_per_sample_reference(shift, flip, channels):
    shifter = Shifter(shift, flip)
    images = random_images(40, channels)
    moves = shifter.draw(40, seed=1, epoch=2)
    expected = torch.stack([reference(image, move, shift) for image, move in zip(images, moves, strict=True)])
    assert shifter.apply(images, moves).equal(expected)


def test_both_ways_to_cut_windows_agree():
    canvas = random_images(6, 2, 10, 12)
    starts = torch.tensor([0, 5, 240 * 3 + 26, 240 * 5 + 4 * 12 + 5])
    assert windows(canvas, starts, (2, 6, 7)).equal(gather_windows(canvas, starts, (2, 6, 7)))


def test_last_window_ends_with_the_canvas():
    canvas = random_images(2, 1, 4, 4)
    assert windows(canvas, torch.tensor([16]), (1, 4, 4)).equal(canvas[1:])


def test_moves_are_uniform_and_reach_every_offset():
    moves = Shifter(2, True).draw(20_000, seed=0, epoch=0)
    assert moves[:, 0].bincount().div(20_000).tolist() == pytest.approx([0.5] * 2, abs=0.02)
    for column in (1, 2):
        assert moves[:, column].bincount().div(20_000).tolist() == pytest.approx([0.2] * 5, abs=0.02)


def test_moves_depend_on_seed_and_epoch_only():
    shifter = Shifter(3)
    assert shifter.draw(50, 1, 2).equal(shifter.draw(50, 1, 2))
    assert not shifter.draw(50, 1, 2).equal(shifter.draw(50, 1, 3))
    assert not shifter.draw(50, 1, 2).equal(shifter.draw(50, 2, 2))
    assert shifter.draw(50, 1, 2)[:, 1:].equal(Shifter(3, True).draw(50, 1, 2)[:, 1:])
