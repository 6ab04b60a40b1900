"""Receptive fields as numbers: position, size, and the distance from one unit's field to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor


class Window(NamedTuple):
    """How an operation slides along an axis."""

    kernel: int
    stride: float = 1
    padding: int = 0
    dilation: int = 1


@dataclass(frozen=True)
class Axis:
    """Along one axis of the image, the field of unit i is `start + jump * i` … `start + jump * i + size - 1` in pixels.

    Attributes:
        dim: The dimension of the units' tensor.
        start: Negative if the field includes padding.
    """

    dim: int
    start: float = 0
    size: float = 1
    jump: float = 1

    def through(self, window: Window) -> "Axis":
        """The axis after an operation; see dltool.introspection.receptive_field for the recursion."""
        return Axis(
            self.dim,
            self.start - window.padding * self.jump,
            self.size + (window.kernel - 1) * window.dilation * self.jump,
            self.jump * window.stride,
        )

    def joined(self, other: "Axis") -> "Axis":
        """The union of the fields of two units."""
        start = min(self.start, other.start)
        return replace(self, start=start, size=max(self.start + self.size, other.start + other.size) - start)


@dataclass(frozen=True)
class Field:
    """The theoretical receptive field of a layer's units. Most of its pixels have little effect, see effective_field.

    Attributes:
        axes: Vertical and horizontal; None if the field is the whole image or could not be determined.
    """

    axes: tuple[Axis, Axis] | None

    @property
    def size(self) -> str:
        """ "14×14" pixels, or "all"."""
        return "all" if self.axes is None else "×".join(f"{axis.size:g}" for axis in self.axes)

    @property
    def jump(self) -> str:
        """Pixels from a unit's field to its neighbour's: "4", or "4×2" if the axes differ."""
        if self.axes is None:
            return ""
        jumps = [f"{axis.jump:.4g}" for axis in self.axes]
        return jumps[0] if jumps[0] == jumps[1] else "×".join(jumps)

    def through(self, vertical: Window, horizontal: Window) -> "Field":
        if self.axes is None:
            return self
        return Field((self.axes[0].through(vertical), self.axes[1].through(horizontal)))


ALL = Field(None)


def mark(image: Tensor) -> Tensor:
    """Mark a tensor `(B, C, H, W)` as the image; the field of each of its units is the unit itself."""
    image._receptive_field = Field((Axis(2), Axis(3)))  # type: ignore[attr-defined]
    return image


def field_of(tensor: object) -> Field | None:
    """The field of a tensor's units, if it was computed from a marked image while fields were tracked; else None."""
    return getattr(tensor, "_receptive_field", None)


def windows(*sizes: int | Sequence[int]) -> tuple[Window, Window]:
    """The windows of both axes, from kernel, stride, padding, dilation, each one number or two."""
    pairs = [(size, size) if isinstance(size, int) else (size[0], size[-1]) for size in sizes]
    return Window(*(pair[0] for pair in pairs)), Window(*(pair[1] for pair in pairs))
