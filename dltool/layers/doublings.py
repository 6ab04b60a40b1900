"""From a few pixels to an image by doubling both sides again and again."""

from typing import NamedTuple

from dltool.errors import ConfigError

LEAST, MOST = 4, 7  # Pixels of the shorter side at the beginning: 28 = 7 · 4, 32 = 4 · 8.
REACH = 3  # Sizes on either side that an error names.


class Doublings(NamedTuple):
    """How an image grows.

    Attributes:
        height, width: Of the maps at the beginning.
        times: How often both sides are doubled, at least once.
    """

    height: int
    width: int
    times: int


def doublings(height: int, width: int, model: str) -> Doublings:
    """The doublings that end at an image of this size.

    Args:
        height: In pixels.
        width: In pixels.
        model: Name, for the error.

    Raises:
        ConfigError: None do.
    """
    count = max(1, (min(height, width) // LEAST).bit_length() - 1)
    if min(height, width) >= 2 * LEAST and height % 2**count == 0 and width % 2**count == 0:
        return Doublings(height >> count, width >> count, count)
    known = [base << n for n in range(1, 12) for base in range(LEAST, MOST + 1)]
    below = [size for size in sorted(known) if size < max(height, width)][-REACH:]
    above = [size for size in sorted(known) if size >= max(height, width)][:REACH]
    raise ConfigError(
        f"model={model} doubles maps of {LEAST} to {MOST} pixels until they are an image, and cannot make "
        f"{height}×{width}; sides that it can make are {', '.join(map(str, [*below, *above]))}",
        f"data.resize={above[0]}",
    )
