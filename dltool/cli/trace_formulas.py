"""Single layers by their formulas as lines of at most 80 columns."""

from typing import TYPE_CHECKING, Any

from dltool.cli.trace_rows import NUM_SHOWN, agreement, row, table_lines

if TYPE_CHECKING:
    from dltool.diagnostics.trace.attention import AttentionTrace, PositionsTrace
    from dltool.diagnostics.trace.formulas import FormulaTrace


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


LINES = {"attention": lines_of_attention, "positions": lines_of_positions}
