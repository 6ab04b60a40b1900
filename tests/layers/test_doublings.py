import pytest

from dltool.core.errors import ConfigError
from dltool.layers.doublings import doublings


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((8, 8), (4, 4, 1)),
        ((28, 28), (7, 7, 2)),
        ((32, 32), (4, 4, 3)),
        ((64, 64), (4, 4, 4)),
        ((48, 96), (6, 12, 3)),
        ((14, 14), (7, 7, 1)),
    ],
)
def test_an_image_by_doubling(size, expected):
    assert doublings(*size, "dcgan") == expected


def test_the_sides_on_the_way():
    assert doublings(28, 28, "stylegan2", square=True).heights == [7, 14, 28]
    assert doublings(64, 64, "stylegan2", square=True).heights == [4, 8, 16, 32, 64]


@pytest.mark.parametrize(
    ("size", "near"), [((30, 30), (28, 32)), ((4, 4), (8,)), ((7, 7), (8,)), ((28, 30), (28, 32)), ((36, 36), (32, 40))]
)
def test_other_sizes_are_errors_that_name_the_nearest(size, near):
    with pytest.raises(ConfigError, match=f"cannot reach {size[0]}×{size[1]}; the nearest are") as error:
        doublings(*size, "dcgan")
    assert error.value.hint == " or ".join(f"data.resize={side}" for side in near)
    for side in near:
        assert doublings(side, side, "dcgan").heights[-1] == side


def test_squares_alone():
    with pytest.raises(ConfigError, match="cannot reach 32×64"):
        doublings(32, 64, "r3gan", square=True)
