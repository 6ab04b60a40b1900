"""From a few pixels to an image by repeated doubling of both sides."""

from typing import NamedTuple

from dltool.core.errors import ConfigError
from dltool.core.shell import setting

LEAST, MOST = 4, 7  # Pixels of the shorter side at the beginning: 28 = 7 · 4, 32 = 4 · 8.


class Doublings(NamedTuple):
    """The sizes through which an image is upsampled.

    Attributes:
        height, width: Of the first maps.
        times: How often both sides are doubled, at least once.
    """

    height: int
    width: int
    times: int

    @property
    def heights(self) -> list[int]:
        """The heights from the first maps to the image: 7, 14, 28."""
        return [self.height << n for n in range(self.times + 1)]


def doublings(height: int, width: int, model: str, *, square: bool = False) -> Doublings:
    """The doublings that lead to an image of this size.

    Args:
        height: In pixels.
        width: In pixels.
        model: Name, for the error.
        square: Whether the model generates only squares.

    Raises:
        ConfigError: If no sequence of doublings leads to this size.
    """
    shorter = min(height, width)
    times = max(1, (shorter // LEAST).bit_length() - 1)
    doubled = shorter >= 2 * LEAST and height % 2**times == 0 and width % 2**times == 0
    if doubled and (height == width or not square):
        return Doublings(height >> times, width >> times, times)
    near = nearest_sides(max(height, width))
    raise ConfigError(
        f"model={model} doubles {'squares' if square else 'maps'} of {LEAST} to {MOST} pixels up to the image's size, "
        f"such as 28, 32 and 64, and cannot reach {height}×{width}; the nearest are {' and '.join(map(str, near))}",
        " or ".join(setting("data.resize", side) for side in near),
    )


def nearest_sides(side: int) -> list[int]:
    """The nearest reachable sides: the largest below this one, if any, and the smallest that is at least this one."""
    sides = sorted(base << times for base in range(LEAST, MOST + 1) for times in range(1, 12))
    return [*[s for s in sides if s < side][-1:], *[s for s in sides if s >= side][:1]]
