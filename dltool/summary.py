"""A model layer by layer: output shapes, parameters, multiply-adds."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dltool.spec import DataSpec


def layer_table(model: nn.Module, spec: DataSpec) -> str:
    """One line a layer, in the order in which one sample passes them.

    Multiply-adds are those of matrix products and convolutions, for one sample (torch's FLOP counter, which
    counts a multiplication and an addition as two, halved); what is cheaper is not counted.

    Args:
        model: A model on any device, "meta" included.
        spec: Gives the shape of one sample.
    """
    rows: list[tuple[str, str, str, int, int]] = []
    names = {module: name for name, module in model.named_modules()}
    handles, counts = [], {}

    def note(module: nn.Module, _: object, output: object) -> None:
        shape = "×".join(map(str, output.shape[1:])) or "1" if isinstance(output, Tensor) else "?"
        parameters = 0 if module in counts else sum(p.numel() for p in module.parameters())
        counts[module] = parameters
        flops = sum(counter.flop_counts[f"{type(model).__name__}.{names[module]}"].values())
        rows.append((names[module], type(module).__name__, shape, parameters, flops // 2))

    for module in model.modules():
        if not list(module.children()) and module is not model:
            handles.append(module.register_forward_hook(note))
    device = next(model.parameters()).device
    counter = FlopCounterMode(display=False)
    was_training = model.training
    with counter, torch.no_grad():
        output = model.eval()(torch.zeros(1, *spec.input_shape, device=device))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    own = sum(p.numel() for p in model.parameters())
    shape = "×".join(map(str, output.shape[1:])) or "1"
    rows.append(("", type(model).__name__, shape, own, counter.get_total_flops() // 2))
    return render(rows, "×".join(map(str, spec.input_shape)))


def render(rows: list[tuple[str, str, str, int, int]], input_shape: str) -> str:
    header = ("layer", "type", "output", "parameters", "multiply-adds")
    cells = [header, ("input", "", input_shape, "", "")]
    cells += [(name or "total", kind, shape, f"{p:,}", f"{m:,}") for name, kind, shape, p, m in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    lines = []
    for row in cells:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    lines.insert(1, "─" * max(map(len, lines)))
    lines.insert(-1, "─" * max(map(len, lines)))
    return "\n".join(lines)
