"""Single layers by their formulas as lines of at most 80 columns."""

from typing import TYPE_CHECKING, Any

from dltool.cli.trace_rows import NUM_SHOWN, agreement, matrix_lines, row, table_lines

if TYPE_CHECKING:
    from dltool.diagnostics.trace.attention import AttentionTrace, PositionsTrace
    from dltool.diagnostics.trace.formulas import FormulaTrace
    from dltool.diagnostics.trace.maps import ConvolutionTrace, FlattenTrace, PoolingTrace
    from dltool.diagnostics.trace.recurrent import RecurrentTrace

NUM_STEPS = 8  # Of a recurrent layer, up to the chosen one.


def lines_of_formula(trace: "FormulaTrace") -> list[str]:
    """One layer, with an empty line above it."""
    of_kind: Any = LINES[trace.what]
    return ["", *of_kind(trace), agreement(trace.error)]


def lines_of_positions(trace: "PositionsTrace") -> list[str]:
    """The vector of a token and that of its position."""
    return [
        f"{trace.name}: position {trace.position}",
        row("x", trace.inputs),
        row("p", trace.vector),
        row("x + p", trace.output),
    ]


def lines_of_attention(trace: "AttentionTrace") -> list[str]:
    """One head: the query, a table of the keys with the largest weights, and the weighted sum."""
    head, num_keys = trace.head, len(trace.allowed)
    lines = [f"{trace.name}: attention of the query at position {trace.position}, head {head} of {len(trace.weights)}"]
    if trace.rotated:
        lines.append(row("W_q x + b", trace.queries_before[head]))
    lines.append(row("q", trace.queries[head]))
    products, scores, weights = trace.products[head], trace.scores[head], trace.weights[head]
    shown = sorted(weights.argsort(descending=True, stable=True)[:NUM_SHOWN].tolist())
    scaled = "q·k/√d" if trace.scale != 1 else "q·k · 1"
    rows = [[str(key), f"{products[key]:.6g}", f"{scores[key]:.6g}", *of_key(trace, key)] for key in shown]
    lines += table_lines(["key", "q·k", scaled, "mask", "a = softmax"], rows)
    if num_keys > len(shown):
        rest = 1 - float(weights[shown].sum())
        masked = num_keys - int(trace.allowed.sum())
        lines.append(f"  the {num_keys - len(shown)} other keys have Σ a = {abs(rest):.4g}; {masked} keys are masked")
    return [*lines, row("Σ a·v", trace.mixed[head]), row("output", trace.output)]


def of_key(trace: "AttentionTrace", key: int) -> list[str]:
    """Whether the query attends to a key, and the weight."""
    return ["" if trace.allowed[key] else "masked", f"{trace.weights[trace.head, key]:.9f}"]


def lines_of_convolution(trace: "ConvolutionTrace") -> list[str]:
    """One number: the first channel's patch, kernel and products, the sums of all channels, the bias."""
    kind = "transposed convolution" if trace.kind == "conv_transpose2d" else "convolution"
    lines = [f"{trace.name}: {kind}, {spot(trace)} of {' × '.join(map(str, trace.size))}"]
    first, last = trace.channels
    of_first = f", input channel {first}" if last > first else ""
    marks = ~trace.inside
    lines += matrix_lines(f"x{of_first}", trace.patch[0], marks, "·")
    lines += matrix_lines(f"w{of_first}", trace.kernel[0])
    lines += matrix_lines(f"x·w{of_first}", trace.products[0], marks, "·")
    if num := int(marks.sum()):
        why = "no input, or padding" if trace.kind == "conv_transpose2d" else "padding, which counts as 0"
        lines.append(f"  {num} of {marks.numel()} places of the kernel (·) have {why}")
    if last > first:
        lines.append(row("Σ each", trace.channel_sums))
    return [*lines, f"  Σ x·w + b = {float(trace.channel_sums.sum()):.9g} + {trace.bias:.9g} = {trace.result:.9g}"]


def lines_of_pooling(trace: "PoolingTrace") -> list[str]:
    """One number: the window and its maximum or mean."""
    lines = [f"{trace.name}: {trace.kind} pooling, {spot(trace)} of {' × '.join(map(str, trace.size))}"]
    lines += matrix_lines(f"window from row {trace.corner[0]}, column {trace.corner[1]}", trace.window)
    return [*lines, f"  {trace.kind} = {trace.result:.9g}"]


def lines_of_flatten(trace: "FlattenTrace") -> list[str]:
    """Where a number goes."""
    channels, height, width = trace.shape
    return [
        f"{trace.name}: {channels} maps of {height} × {width} as one vector, {spot(trace)}",
        f"  index {trace.channel}·{height * width} + {trace.place[0]}·{width} + {trace.place[1]} = {trace.index}, "
        f"the number {trace.result:.9g}",
    ]


def spot(trace: "ConvolutionTrace | PoolingTrace | FlattenTrace") -> str:
    """Channel and place."""
    return f"channel {trace.channel} at ({trace.place[0]}, {trace.place[1]})"


def lines_of_recurrent(trace: "RecurrentTrace") -> list[str]:
    """One unit: a table of its gates up to the chosen step, what σ and tanh are applied to in this step, ∏ f."""
    t, unit, names = trace.position, trace.unit, list(trace.gates)
    num_steps, num_units = trace.gates["h"].shape
    which = f"{trace.kind} layer {trace.layer} of {trace.num_layers}"
    lines = [f"{trace.name}: {which}, unit {unit} of {num_units}, step {t} of {num_steps}"]
    steps = range(max(0, t - NUM_STEPS + 1), t + 1)
    rows = [[str(step), *(f"{float(trace.gates[name][step, unit]):.6f}" for name in names)] for step in steps]
    lines += table_lines(["t", *names], rows)
    before = ", ".join(f"{name} {float(value[t, unit]):.5g}" for name, value in trace.sums.items())
    lines.append(f"  before σ, tanh: {before}")
    path = float(trace.direct_path[0, unit])
    return [*lines, f"  ∏ {trace.carry} of the steps 1 … {num_steps - 1} = {path:.6g}, the direct path of the gradient"]


LINES = {
    "attention": lines_of_attention,
    "positions": lines_of_positions,
    "recurrent": lines_of_recurrent,
    "convolution": lines_of_convolution,
    "pooling": lines_of_pooling,
    "flatten": lines_of_flatten,
}
