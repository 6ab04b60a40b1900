from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from dltool.core.randomness import generator
from dltool.data.shifting import Shifter, gather_windows, reflect_margins, windows


def random_images(count, channels=3, height=7, width=9):
    return torch.randint(
        1, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator(0, "augment test")
    )


def reference(image, move, shift, padding="zeros"):
    """One sample at a time, as a reader would write it."""
    flip, down, right = move.tolist()
    if flip:
        image = image.flip(-1)
    height, width = image.shape[1:]
    padded = F.pad(image.float(), (shift,) * 4, mode="constant" if padding == "zeros" else padding).to(image.dtype)
    return padded[:, down : down + height, right : right + width]


@pytest.mark.parametrize(("shift", "flip"), [(0, True), (1, False), (4, True), (8, True)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_equals_the_per_sample_reference(shift, flip, channels, padding):
    shifter = Shifter(shift, flip, padding)
    if shift == 8:  # Wider than the image, where torch's reflection ends.
        padding = "zeros" if padding == "zeros" else pytest.skip("tested below")
    images = random_images(40, channels)
    moves = shifter.draw(40, seed=1, epoch=2)
    expected = torch.stack([reference(image, move, shift, padding) for image, move in zip(images, moves, strict=True)])
    assert shifter.apply(images, moves).equal(expected)


def test_a_margin_wider_than_the_image_is_mirrored_again():
    line = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    canvas = F.pad(line, (5, 5, 5, 5))
    reflect_margins(canvas, 5)
    assert canvas[0, 0].tolist() == [[2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]] * 11


def test_alternating_flips_each_image_in_one_of_two_epochs():
    shifter, images = Shifter(2, "alternating"), random_images(500)
    epochs = [shifter.draw(500, seed=4, epoch=epoch)[:, 0] for epoch in range(4)]
    for one, other in pairwise(epochs):
        assert (one + other == 1).all()
    assert epochs[0].float().mean() == pytest.approx(0.5, abs=0.1)
    assert not torch.equal(epochs[0], shifter.draw(500, seed=5, epoch=0)[:, 0])
    assert torch.equal(shifter.draw(500, 4, 1)[:, 1:], Shifter(2, True).draw(500, 4, 1)[:, 1:])
    flipped = Shifter(0, "alternating")
    seen = [flipped.apply(images, flipped.draw(500, 0, epoch)) for epoch in (6, 7)]
    assert all(torch.equal(a, b.flip(-1)) for a, b in zip(*seen, strict=True))


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
