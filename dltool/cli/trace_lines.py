"""A traced step as lines of at most 80 columns."""

from typing import TYPE_CHECKING

from dltool.cli.trace_formulas import lines_of_formula
from dltool.cli.trace_rows import DIGITS, row

if TYPE_CHECKING:
    from dltool.diagnostics.trace.step import StepTrace


def lines_of(step: "StepTrace") -> list[str]:
    """A step as text of at most 80 columns for layers of up to about 8 units."""
    lines = [f"step {step.step + 1}   J = {step.loss:.{DIGITS}g}   learning rate {step.rate:g}", ""]
    lines.append(row("input x", step.batch.inputs[0].flatten()))
    lines.append(row("target y", step.batch.targets[0].flatten()))
    for number, layer in enumerate(step.layers, start=1):
        lines += ["", f"layer {number}: {layer.name} ({layer.kind})"]
        lines.append(row("z", layer.z[0].flatten()))
        if layer.slope is not None:
            lines.append(row("a = g(z)", layer.a[0].flatten()))
            lines.append(row("g'(z)", layer.slope[0].flatten()))
        if layer.delta is not None:
            lines.append(row("δ = ∂J/∂z", layer.delta[0].flatten()))
        if layer.hand is not None:
            lines.append(f"  formulas - autograd: {layer.hand:.1e}")
    for trace in step.formulas:
        lines += lines_of_formula(trace)
    for one in step.parameters:
        lines += ["", f"{one.name}  {'×'.join(map(str, one.before.shape))}"]
        lines.append(row("θ", one.before.flatten()))
        if one.gradient is not None:
            lines.append(row("∂J/∂θ", one.gradient.flatten()))
            lines.append(f"  finite differences - autograd: {one.differences:.1e}")
        lines += [row(name, value.flatten()) for name, value in one.state.items()]
        lines.append(row("Δθ", (one.after - one.before).flatten()))
        lines.append(row("θ after", one.after.flatten()))
    return [*lines, "", f"J = {step.loss_after:.{DIGITS}g} for the same sample after the step", ""]
