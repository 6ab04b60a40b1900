import pytest
import torch

from dltool.errors import ConfigError
from dltool.layers.resampling import Blur, Upsample, pyramid_sides
from dltool.spec import DataSpec


def test_a_blur_by_hand():
    """One bright position becomes the filter itself; at stride 2 every second position of it."""
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 3, 3] = 64
    taps = torch.tensor([1.0, 3, 3, 1])
    blurred = Blur(padding=2)(image)
    assert blurred.shape == (1, 1, 9, 9)
    torch.testing.assert_close(blurred[0, 0, 2:6, 2:6], torch.outer(taps, taps))
    halved = Blur(padding=1, stride=2)(image)
    assert halved.shape == (1, 1, 4, 4)
    torch.testing.assert_close(halved[0, 0, 1:3, 1:3], torch.tensor([[9.0, 3], [3, 1]]))


def test_doubling_is_bilinear_within_the_map():
    maps = torch.randn(2, 3, 7, 7)
    bilinear = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(Upsample()(maps)[:, :, 1:-1, 1:-1], bilinear[:, :, 1:-1, 1:-1])


def test_a_constant_stays_one_within_the_map():
    ones = torch.ones(1, 2, 8, 8)
    for layer, border in ((Blur(padding=2), 3), (Blur(padding=1, stride=2), 1), (Upsample(), 2)):
        inner = layer(ones)[:, :, border:-border, border:-border]
        torch.testing.assert_close(inner, torch.ones_like(inner))


@pytest.mark.parametrize(
    ("side", "sides"),
    [(28, [7, 14, 28]), (32, [4, 8, 16, 32]), (64, [4, 8, 16, 32, 64]), (8, [4, 8]), (40, [5, 10, 20, 40])],
)
def test_sizes_that_double(side, sides):
    assert pyramid_sides(DataSpec((3, side, side)), "stylegan2") == sides


@pytest.mark.parametrize(
    ("shape", "near"),
    [((1, 30, 30), (28, 32)), ((3, 32, 28), (32, 40)), ((1, 7, 7), (8,)), ((3, 36, 36), (32, 40))],
)
def test_other_sizes_are_errors_that_name_the_nearest(shape, near):
    with pytest.raises(ConfigError, match=f"none of {shape[1]}×{shape[2]}; the nearest are") as failure:
        pyramid_sides(DataSpec(shape), "r3gan")
    assert failure.value.hint == " or ".join(f"data.resize={side}" for side in near)
    for side in near:
        assert pyramid_sides(DataSpec((1, side, side)), "r3gan")[-1] == side
