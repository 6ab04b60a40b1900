"""From a few pixels to an image by doubling both sides again and again."""

from typing import NamedTuple

from dltool.core.errors import ConfigError
from dltool.core.shell import setting

LEAST, MOST = 4, 7  # Pixels of the shorter side at the beginning: 28 = 7 · 4, 32 = 4 · 8.


class Doublings(NamedTuple):
    """How an image grows.

    Attributes:
        height, width: Of the maps at the beginning.
        times: How often both sides are doubled, at least once.
    """

    height: int
    width: int
    times: int

    @property
    def heights(self) -> list[int]:
        """Of the maps from the first to the image: 7, 14, 28."""
        return [self.height << n for n in range(self.times + 1)]


def doublings(height: int, width: int, model: str, *, square: bool = False) -> Doublings:
    """The doublings that end at an image of this size.

    Args:
        height: In pixels.
        width: In pixels.
        model: Name, for the error.
        square: Whether the model makes squares alone.

    Raises:
        ConfigError: None do.
    """
    shorter = min(height, width)
    times = max(1, (shorter // LEAST).bit_length() - 1)
    doubled = shorter >= 2 * LEAST and height % 2**times == 0 and width % 2**times == 0
    if doubled and (height == width or not square):
        return Doublings(height >> times, width >> times, times)
    near = nearest_sides(max(height, width))
    raise ConfigError(
        f"model={model} doubles {'squares' if square else 'maps'} of {LEAST} to {MOST} pixels until they are an image, "
        f"such as 28, 32 and 64, and makes none of {height}×{width}; the nearest are {' and '.join(map(str, near))}",
        " or ".join(setting("data.resize", side) for side in near),
    )


def nearest_sides(side: int) -> list[int]:
    """The largest side below that can be made, if there is one, and the smallest from it on."""
    sides = sorted(base << times for base in range(LEAST, MOST + 1) for times in range(1, 12))
    return [*[s for s in sides if s < side][-1:], *[s for s in sides if s >= side][:1]]
