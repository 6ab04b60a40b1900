"""How each torch operation changes the receptive field of its inputs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from dltool.introspection.field import ALL, Axis, Field, Window, field_of, windows

Sources = Sequence[Tensor]
Rule = Callable[[Sources, Tensor, Any], Field]


def same_place(sources: Sources, result: Tensor, args: Any) -> Field:
    """For an operation on each pixel by itself, such as an activation, a norm, a sum of branches, a concatenation."""
    del args
    fields = [field for source in sources if (field := field_of(source))]
    if any(field.axes is None for field in fields):
        return ALL
    pairs = [field.axes for field in fields if field.axes is not None]
    for source, axes in zip(sources, pairs, strict=True):
        for axis, first in zip(axes, pairs[0], strict=True):
            kept = axis.dim < result.ndim and result.shape[axis.dim] == source.shape[axis.dim]
            if not kept or (axis.dim, axis.jump) != (first.dim, first.jump):
                return ALL
    vertical, horizontal = pairs[0]
    for other in pairs[1:]:
        vertical, horizontal = vertical.joined(other[0]), horizontal.joined(other[1])
    return Field((vertical, horizontal))


def every_place(sources: Sources, result: Tensor, args: Any) -> Field:
    """For a matrix product, which mixes units that are not neighbours."""
    del sources, result, args
    return ALL


def through_windows(sources: Sources, *sizes: int | Sequence[int]) -> Field:
    """For a window that slides over the last two axes: kernel, stride, padding, dilation."""
    field = field_of(sources[0])
    # Only feature maps have neighbours: after `Tensor.view(B * C, H, W)` etc. the axes are the last two as well.
    if field is None or field.axes is None or [axis.dim - sources[0].ndim for axis in field.axes] != [-2, -1]:
        return ALL
    return field.through(*windows(*sizes))


def convolution(sources: Sources, result: Tensor, args: Any) -> Field:
    del result
    _, weight, _, stride, padding, dilation, transposed, *_ = args
    if transposed or weight.ndim != 4:
        return ALL
    return through_windows(sources, tuple(weight.shape[2:]), stride, padding, dilation)


def pooling(sources: Sources, result: Tensor, args: Any) -> Field:
    """For avg_pool2d and max_pool2d_with_indices, whose stride is the kernel by default."""
    del result
    kernel, stride, padding, dilation = [*args[1:], *[[], 0, 1][len(args) - 2 :]][:4]
    # The fourth is ceil_mode in average pooling, which has no dilation.
    return through_windows(sources, kernel, stride or kernel, padding, 1 if isinstance(dilation, bool) else dilation)


def adaptive_pooling(sources: Sources, result: Tensor, args: Any) -> Field:
    """m windows over n units: window i is floor(i n / m) … ceil((i + 1) n / m); the largest counts."""
    del args
    field, sides = field_of(sources[0]), []
    for n, m in zip(sources[0].shape[-2:], result.shape[-2:], strict=True):
        kernel = max(math.ceil((i + 1) * n / m) - i * n // m for i in range(m))
        sides.append(Window(kernel, n / m))
    if field is None or tuple(result.shape[-2:]) == (1, 1):
        return ALL
    return field.through(*sides)


def padding(sources: Sources, result: Tensor, args: Any) -> Field:
    """For padding, whose sizes are given from the last axis to the first: before, after, before, after, …"""
    del result
    field, margins = field_of(sources[0]), args[1]
    if field is None or field.axes is None:
        return ALL
    shifted = []
    for axis in field.axes:
        place = 2 * (sources[0].ndim - 1 - axis.dim)
        shifted.append(replace(axis, start=axis.start - axis.jump * (margins[place] if place < len(margins) else 0)))
    return Field((shifted[0], shifted[1]))


def slicing(sources: Sources, result: Tensor, args: Any) -> Field:
    """For `x[..., start:end:step]` along an axis, as in a shortcut that skips every other pixel."""
    dim, start, step = args[1], args[2] or 0, args[4] if len(args) > 4 else 1
    field, length = field_of(sources[0]), sources[0].shape[dim]
    begin = min(max(start + length if start < 0 else start, 0), length)
    return along(sources, field, dim, lambda axis: replace(axis, start=axis.start + axis.jump * begin), step)


def sliding(sources: Sources, result: Tensor, args: Any) -> Field:
    """For `Tensor.unfold(dim, size, step)`, where the window's units become a last axis."""
    _, dim, size, step = args
    return along(sources, field_of(sources[0]), dim, lambda axis: axis.through(Window(size)), step)


def along(sources: Sources, field: Field | None, dim: int, change: Callable[[Axis], Axis], step: int) -> Field:
    if field is None or field.axes is None:
        return ALL
    dim %= sources[0].ndim
    changed = [replace(change(a), jump=a.jump * step) if a.dim == dim else a for a in field.axes]
    return Field((changed[0], changed[1]))


def permutation(sources: Sources, result: Tensor, args: Any) -> Field:
    del result
    field, ndim = field_of(sources[0]), sources[0].ndim
    if field is None or field.axes is None:
        return ALL
    order = list(range(ndim))
    if len(args) == 3:  # transpose(dim, dim)
        first, second = args[1] % ndim, args[2] % ndim
        order[first], order[second] = second, first
    else:
        order = [dim % ndim for dim in args[1]]
    vertical, horizontal = (replace(axis, dim=order.index(axis.dim)) for axis in field.axes)
    return Field((vertical, horizontal))


def reshaping(sources: Sources, result: Tensor, args: Any) -> Field:
    """For a view: an axis is kept if its length and the number of elements before it stay the same."""
    del args
    field, old, new = field_of(sources[0]), sources[0].shape, result.shape
    if field is None or field.axes is None:
        return ALL
    places = {(math.prod(new[:dim]), new[dim]): dim for dim in range(len(new))}
    kept = [places.get((math.prod(old[: axis.dim]), old[axis.dim])) for axis in field.axes]
    if kept[0] is None or kept[1] is None or kept[0] == kept[1]:
        return ALL
    return Field((replace(field.axes[0], dim=kept[0]), replace(field.axes[1], dim=kept[1])))


RULES: dict[str, Rule] = {
    "convolution": convolution,
    **dict.fromkeys(["avg_pool2d", "max_pool2d_with_indices"], pooling),
    **dict.fromkeys(["_adaptive_avg_pool2d", "adaptive_max_pool2d"], adaptive_pooling),
    **dict.fromkeys(["constant_pad_nd", "reflection_pad2d", "replication_pad2d"], padding),
    "slice": slicing,
    "unfold": sliding,
    **dict.fromkeys(["permute", "transpose"], permutation),
    **dict.fromkeys(["view", "_unsafe_view", "reshape", "_reshape_alias", "unsqueeze", "squeeze"], reshaping),
    **dict.fromkeys(["mm", "addmm", "bmm", "baddbmm", "im2col"], every_place),
}
