"""Convolution, pooling and flattening at one place by their formulas, beside the layer.

A convolution of stride s, padding p and dilation d is a cross-correlation: the output at row r and channel k is

    y[k, r] = b[k] + Σ_c Σ_u w[k, c, u] · x[c, r·s - p + u·d]

(columns likewise), with 0 for x outside of the map. A transposed convolution adds w[c, k, u] · x[c, i] to the row
i·s - p + u·d, so that y[k, r] has the terms with i = (r + p - u·d) / s, where this is a whole number inside of the map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.calls import Call, Choice

Pair = tuple[int, int]


@dataclass
class ConvolutionTrace:
    """One number in the output of a convolution or a transposed convolution.

    Attributes:
        name: The layer's path.
        kind: "conv2d" or "conv_transpose2d".
        place, channel: Of the number, and `size`, height and width of the output.
        channels: First and last channel of the input that is used.
        inside: `(height, width)` of the kernel, True where x is in the map; elsewhere it is padding, or between the
            positions of a transposed convolution.
        patch, kernel, products: x, w and x·w, `(C, height, width)`.
        channel_sums: Σ x·w of each channel, `(C,)`.
        bias: b; 0 without one.
        result: Σ x·w + b.
        output: The layer's own.
        error: Their difference.
    """

    what: ClassVar[str] = "convolution"
    name: str
    kind: str
    place: Pair
    channel: int
    size: Pair
    channels: Pair
    inside: Tensor
    patch: Tensor
    kernel: Tensor
    products: Tensor
    channel_sums: Tensor
    bias: float
    result: float
    output: float
    error: float


@dataclass
class PoolingTrace:
    """One number in the output of a pooling.

    Attributes:
        name: The layer's path.
        kind: "max" or "average".
        place, channel, size: See ConvolutionTrace.
        corner: Row and column of the window's first number in the input, negative in the padding.
        window: The numbers, `(height, width)`; those in the padding are -∞ for "max", 0 for "average".
        result, output, error: See ConvolutionTrace.
    """

    what: ClassVar[str] = "pooling"
    name: str
    kind: str
    place: Pair
    channel: int
    size: Pair
    corner: Pair
    window: Tensor
    result: float
    output: float
    error: float


@dataclass
class FlattenTrace:
    """Where a number of a map is in the vector.

    Attributes:
        name: The layer's path.
        place, channel: Of the number, and `shape`, `(C, H, W)` of the maps.
        index: channel · H · W + row · W + column.
        result, output: The number of the map, and that of the vector.
        error: Their difference.
    """

    what: ClassVar[str] = "flatten"
    name: str
    place: Pair
    channel: int
    shape: tuple[int, int, int]
    index: int
    result: float
    output: float
    error: float


def chosen_place(name: str, choice: Choice, shape: Sequence[int]) -> tuple[int, int, int]:
    """Channel, row and column in maps `(C, H, W)`; by default channel 0, in the middle.

    Raises:
        ConfigError: There is no such channel or place.
    """
    num_channels, height, width = shape
    channel = choice.channel or 0
    row, column = choice.place or (height // 2, width // 2)
    size = f"{num_channels} channels of {height}×{width}"
    if channel >= num_channels:
        raise ConfigError(f"--channel {channel}: the output of {name} has {size}", f"--channel {num_channels - 1}")
    if row >= height or column >= width:
        hint = f"--place {min(row, height - 1)},{min(column, width - 1)}"
        raise ConfigError(f"--place {row},{column}: the output of {name} has {size}", hint)
    return channel, row, column


def convolution_trace(call: Call, choice: Choice) -> ConvolutionTrace:
    """Compute one number of a call of conv2d or conv_transpose2d, of the first sample.

    Raises:
        ConfigError: There is no such channel or place.
    """
    assert call.output is not None
    transposed = call.kind == "conv_transpose2d"
    given = (transposed_arguments if transposed else convolution_arguments)(*call.args, **call.kwargs)
    inputs, weight, bias, groups = given["input"], given["weight"], given["bias"], given["groups"]
    channel, *place = chosen_place(call.name, choice, call.output.shape[1:])
    group_size = call.output.shape[1] // groups
    width = inputs.shape[1] // groups
    first = channel // group_size * width  # The first input channel of the output channel's group.
    used = inputs[0, first : first + width]
    kernel = weight[first : first + width, channel % group_size] if transposed else weight[channel]
    rows, columns = (
        sources(
            place[axis],
            used.shape[1 + axis],
            kernel.shape[1 + axis],
            given["stride"][axis],
            given["padding"][axis],
            given["dilation"][axis],
            transposed=transposed,
        )
        for axis in (0, 1)
    )
    inside = torch.tensor([[row is not None and column is not None for column in columns] for row in rows])
    values = used[:, [row or 0 for row in rows]][:, :, [column or 0 for column in columns]]
    patch = torch.where(inside.to(values.device), values, 0)
    products = patch * kernel
    offset = 0.0 if bias is None else float(bias[channel])
    result, output = float(products.sum()) + offset, float(call.output[0, channel, place[0], place[1]])
    return ConvolutionTrace(
        name=call.name,
        kind=call.kind,
        place=(place[0], place[1]),
        channel=channel,
        size=(call.output.shape[2], call.output.shape[3]),
        channels=(first, first + width - 1),
        inside=inside,
        patch=patch,
        kernel=kernel,
        products=products,
        channel_sums=products.sum((1, 2)),
        bias=offset,
        result=result,
        output=output,
        error=abs(result - output),
    )


def sources(
    place: int, size: int, kernel: int, stride: int, padding: int, dilation: int, *, transposed: bool
) -> list[int | None]:
    """For each tap of a kernel along one axis, the position in the input that it is multiplied by; None if none is."""
    found: list[int | None] = []
    for tap in range(kernel):
        if transposed:
            position, rest = divmod(place + padding - tap * dilation, stride)
        else:
            position, rest = place * stride - padding + tap * dilation, 0
        found.append(position if rest == 0 and 0 <= position < size else None)
    return found


def convolution_arguments(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> dict[str, Any]:
    """The arguments of torch's conv2d, numbers as pairs; "same" is the padding before the first row."""
    dilation = pair(dilation)
    if padding == "same":
        padding = tuple(d * (k - 1) // 2 for d, k in zip(dilation, weight.shape[2:], strict=True))
    padding = pair(0 if padding == "valid" else padding)
    given = {"input": input, "weight": weight, "bias": bias, "groups": groups}
    return given | {"stride": pair(stride), "padding": padding, "dilation": dilation}


def transposed_arguments(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> dict[str, Any]:
    """The arguments of torch's conv_transpose2d, numbers as pairs."""
    del output_padding  # Rows without terms, below.
    return convolution_arguments(input, weight, bias, stride, padding, dilation, groups)


def pair(value: Any) -> Pair:
    """A number twice, or the first two of a sequence."""
    if isinstance(value, int):
        return value, value
    return (int(value[0]), int(value[-1]))


def max_pooling_trace(call: Call, choice: Choice) -> PoolingTrace:
    """Compute one number of a call of max_pool2d, of the first sample; see convolution_trace."""
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    given: dict[str, Any] = {"stride": None, "padding": 0, "dilation": 1}
    given |= dict(zip(names, call.args[1:], strict=False)) | dict(call.kwargs)
    kernel, padding, dilation = (pair(given[name]) for name in ("kernel_size", "padding", "dilation"))
    stride = pair(given["stride"] or given["kernel_size"])
    where = place_in(call, choice)
    starts = [where[1 + axis] * stride[axis] - padding[axis] for axis in (0, 1)]
    ranges = [[starts[axis] + tap * dilation[axis] for tap in range(kernel[axis])] for axis in (0, 1)]
    window = numbers_at(call.args[0][0, where[0]], *ranges, outside=float("-inf"))
    return pooling_trace(call, where, (starts[0], starts[1]), "max", window, float(window.max()))


def average_pooling_trace(call: Call, choice: Choice) -> PoolingTrace:
    """Compute one number of a call of avg_pool2d, of the first sample; see convolution_trace.

    The divisor is the number of positions in the window, those in the padding with them where the layer counts them.
    """
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    given: dict[str, Any] = {"stride": None, "padding": 0, "count_include_pad": True, "divisor_override": None}
    given |= dict(zip(names, call.args[1:], strict=False)) | dict(call.kwargs)
    kernel, padding = pair(given["kernel_size"]), pair(given["padding"])
    stride = pair(given["stride"] or given["kernel_size"])
    where, plane = place_in(call, choice), call.args[0][0]
    ranges, counts = [], []
    for axis in (0, 1):
        start, size = where[1 + axis] * stride[axis] - padding[axis], plane.shape[1 + axis]
        ranges.append(list(range(start, min(start + kernel[axis], size + padding[axis]))))
        counts.append(len([i for i in ranges[-1] if given["count_include_pad"] or 0 <= i < size]))
    window = numbers_at(plane[where[0]], *ranges, outside=0.0)
    divisor = given["divisor_override"] or counts[0] * counts[1]
    return pooling_trace(call, where, (ranges[0][0], ranges[1][0]), "average", window, float(window.sum()) / divisor)


def adaptive_pooling_trace(call: Call, choice: Choice) -> PoolingTrace:
    """Compute one number of a call of adaptive_avg_pool2d, of the first sample; see convolution_trace.

    The window of position i of n over N numbers is from ⌊i·N/n⌋ to ⌈(i+1)·N/n⌉.
    """
    assert call.output is not None
    where, plane = place_in(call, choice), call.args[0][0]
    ranges = [
        list(range(i * size // count, -((i + 1) * size // -count)))
        for i, size, count in zip(where[1:], plane.shape[1:], call.output.shape[2:], strict=True)
    ]
    window = numbers_at(plane[where[0]], *ranges, outside=0.0)
    return pooling_trace(call, where, (ranges[0][0], ranges[1][0]), "average", window, float(window.mean()))


def place_in(call: Call, choice: Choice) -> tuple[int, int, int]:
    """Channel, row and column of the output."""
    assert call.output is not None
    return chosen_place(call.name, choice, call.output.shape[1:])


def numbers_at(plane: Tensor, rows: Sequence[int], columns: Sequence[int], *, outside: float) -> Tensor:
    """The numbers of a map `(H, W)` at rows and columns, and `outside` where they are beyond its edges."""
    height, width = plane.shape
    values = [[float(plane[i, j]) if 0 <= i < height and 0 <= j < width else outside for j in columns] for i in rows]
    return torch.tensor(values, dtype=plane.dtype)


def pooling_trace(
    call: Call, where: tuple[int, int, int], corner: Pair, kind: str, window: Tensor, result: float
) -> PoolingTrace:
    assert call.output is not None
    channel, row, column = where
    output = float(call.output[0, channel, row, column])
    size = (call.output.shape[2], call.output.shape[3])
    return PoolingTrace(
        call.name, kind, (row, column), channel, size, corner, window, result, output, abs(result - output)
    )


def flatten_trace(call: Call, choice: Choice) -> FlattenTrace | None:
    """Find the chosen number of the first sample's maps in the vector; None for a flattening of something else."""
    assert call.output is not None
    maps, vector = call.args[0], call.output
    if vector.ndim != 2 or vector.shape[1] != maps[0].numel():
        return None
    _, height, width = maps.shape[1:]
    channel, row, column = chosen_place(call.name, choice, maps.shape[1:])
    index = channel * height * width + row * width + column
    result, output = float(maps[0, channel, row, column]), float(vector[0, index])
    return FlattenTrace(
        call.name, (row, column), channel, tuple(maps.shape[1:]), index, result, output, abs(result - output)
    )
