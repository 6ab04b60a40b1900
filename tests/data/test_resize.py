import pytest
import torch

from dltool.core.errors import ConfigError, DataError
from dltool.data.resize import choose_size, resize_images

CPU = torch.device("cpu")
LENET = {"min_size": 32, "native_size": 32}


@pytest.mark.parametrize(
    ("size", "resize", "model", "expected"),
    [
        ((8, 8), "auto", LENET, (32, 32)),
        ((28, 28), "auto", LENET, (32, 32)),
        ((32, 32), "auto", LENET, (32, 32)),
        ((48, 40), "auto", LENET, (48, 40)),
        ((8, 8), "auto", {}, (8, 8)),
        ((8, 8), "auto", {"min_size": None, "native_size": None}, (8, 8)),
        ((8, 8), "auto", {"min_size": 16, "native_size": 224}, (224, 224)),
        ((28, 28), None, {}, (28, 28)),
        ((28, 28), 40, LENET, (40, 40)),
        ((28, 28), [32, 48], LENET, (32, 48)),
    ],
)
def test_chosen_size(size, resize, model, expected):
    assert choose_size(size, resize, model) == expected


@pytest.mark.parametrize(("resize", "sizes"), [(None, "8×8"), (16, "16×16"), ([32, 31], "32×31")])
def test_too_small_an_image_names_both_sizes_and_the_override(resize, sizes):
    with pytest.raises(DataError) as caught:
        choose_size((8, 8), resize, LENET)
    assert sizes in caught.value.message
    assert "32×32" in caught.value.message
    assert "data.resize=32" in caught.value.hint


def test_a_list_needs_two_sides():
    with pytest.raises(ConfigError, match="height, width"):
        choose_size((8, 8), [32], LENET)


def test_four_pixels_more_are_padded_evenly_with_background():
    images = torch.randint(1, 256, (3, 1, 28, 27), dtype=torch.uint8)
    padded = resize_images(images, (32, 30), CPU)
    assert padded.shape == (3, 1, 32, 30)
    assert padded[:, :, 2:30, 1:28].equal(images)
    assert padded.sum() == images.sum()


def test_larger_steps_are_interpolated_and_stay_uint8():
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    images[:, :, :, 4:] = 255
    resized = resize_images(images, (32, 32), CPU)
    assert resized.dtype == torch.uint8
    assert resized.shape == (2, 3, 32, 32)
    assert resized[:, :, :, :14].eq(0).all()
    assert resized[:, :, :, 18:].eq(255).all()
    assert (resized.diff(dim=-1) >= 0).all()


def test_smaller_images_are_averaged_not_sampled():
    checkerboard = (torch.arange(16).view(1, 1, 1, 16) + torch.arange(16).view(1, 1, 16, 1)) % 2 * 255
    halved = resize_images(checkerboard.to(torch.uint8), (4, 4), CPU)
    assert (halved.float() - 127.5).abs().max() < 20


def test_the_right_size_is_left_alone():
    images = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    assert resize_images(images, (5, 5), CPU) is images
