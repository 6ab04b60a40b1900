"""`dltool trace`: one or a few training steps in numbers."""

import argparse
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_config_arguments, read_config
from dltool.core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from dltool.diagnostics.trace import StepTrace

SUMMARY = "one training step in numbers: z, a, g', δ, dW, the update, beside autograd"
EXAMPLES = """\
examples:
  dltool trace model=mlp data=example model.activation=sigmoid optim=sgd optim.lr=0.5
  dltool trace model=mlp 'model.hidden=[3]' data=iris --sample 7 --steps 2
  dltool trace model=mlp 'model.hidden=[1]' data=example 'model.initial=[[[.1,.2]],[.3],[[.4],[.5]],[.6,.7]]'
  dltool trace --from outputs/2026-01-31/12-00-00_lenet_digits --json

Everything is computed in float64, for one training sample. The formulas are compared with automatic differentiation,
and that with finite differences. `model.initial` gives the initial weights, W and b of each layer, exactly as
written.
"""
NUM_SHOWN = 8  # Units of a layer; more are summarised.
DIGITS = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="the training sample, from 0; default: 0")
    parser.add_argument("--steps", type=int, default=1, metavar="K", help="training steps on it; default: 1")
    parser.add_argument("--json", action="store_true", help="print JSON, with every number")


def run(args: argparse.Namespace) -> int:
    if args.steps < 1 or args.sample < 0:
        raise ConfigError(f"--steps {args.steps} --sample {args.sample}: one step and sample 0 are the least")
    _, built = read_config(args)
    from dltool.training.trace import trace_config

    steps = trace_config(built, args.sample, args.steps)
    if args.json:
        import json

        print(json.dumps([as_json(step) for step in steps], ensure_ascii=False))
        return 0
    for step in steps:
        print("\n".join(lines_of(step)))
    return 0


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


def row(name: str, values: "Tensor") -> str:
    """A name and numbers, four to a line; more than NUM_SHOWN are summarised."""
    if len(values) > NUM_SHOWN:
        low, mean, high = (float(value) for value in (values.min(), values.double().mean(), values.max()))
        return f"  {name:<10} {len(values):,} numbers, {low:.4g} … {high:.4g}, mean {mean:.4g}"
    texts = [f"{float(value):>15.{DIGITS}g}" for value in values]
    parts = ["".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    return f"  {name:<10}" + f"\n{'':12}".join(parts)


def as_json(step: "StepTrace") -> dict[str, Any]:
    """Every number of a step as plain JSON."""
    layers = [{key: plain(value) for key, value in vars(layer).items() if value is not None} for layer in step.layers]
    parameters = [
        {key: plain(value) for key, value in vars(one).items() if value is not None} for one in step.parameters
    ]
    return {
        "step": step.step,
        "loss": step.loss,
        "loss_after": step.loss_after,
        "rate": step.rate,
        "inputs": plain(step.batch.inputs),
        "targets": plain(step.batch.targets),
        "layers": layers,
        "parameters": parameters,
    }


def plain(value: Any) -> Any:
    """A tensor as nested lists; other values as they are."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value
