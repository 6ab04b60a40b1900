import pytest

from dltool.errors import ConfigError
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


@pytest.mark.parametrize("size", [(30, 30), (4, 4), (7, 7), (28, 30), (33, 33)])
def test_the_sizes_that_it_can_are_named(size):
    with pytest.raises(ConfigError, match=r"cannot make \d+×\d+; sides that it can make are [\d, ]+") as error:
        doublings(*size, "dcgan")
    proposed = int(error.value.hint.removeprefix("data.resize="))
    assert doublings(proposed, proposed, "dcgan").times >= 1
    assert proposed >= max(size)
