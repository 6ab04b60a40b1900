"""A model layer by layer: output shapes, parameters, multiply-adds."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dltool.spec import DataSpec

Row = tuple[str, str, str, int, int, int]  # Path, class, output's shape, parameters, multiply-adds, frozen parameters.


def count_parameters(model: nn.Module) -> str:
    """ "61,706 parameters", with how many of them are frozen where some are."""
    total = sum(p.numel() for p in model.parameters())
    frozen = total - num_trained(model)
    return f"{total:,} parameters" + (f" ({frozen:,} frozen)" if frozen else "")


def num_trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def layer_table(model: nn.Module, spec: DataSpec) -> str:
    """One line a layer, in the order in which one sample passes them; how much of it is frozen, where anything is.

    Multiply-adds are those of matrix products and convolutions, for one sample (torch's FLOP counter, which
    counts a multiplication and an addition as two, halved); what is cheaper is not counted.

    Args:
        model: A model on any device, "meta" included.
        spec: Gives the shape of one sample.
    """
    rows: list[Row] = []
    names = {module: name for name, module in model.named_modules()}
    handles, counts = [], {}

    def note(module: nn.Module, _: object, output: object) -> None:
        shape = "×".join(map(str, output.shape[1:])) or "1" if isinstance(output, Tensor) else "?"
        first = module not in counts
        parameters = sum(p.numel() for p in module.parameters()) if first else 0
        frozen = parameters - num_trained(module) if first else 0
        counts[module] = parameters
        flops = sum(counter.flop_counts[f"{type(model).__name__}.{names[module]}"].values())
        rows.append((names[module], type(module).__name__, shape, parameters, flops // 2, frozen))

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
    rows.append(("", type(model).__name__, shape, own, counter.get_total_flops() // 2, own - num_trained(model)))
    return render(rows, spec.describe_input())


def render(rows: list[Row], input_shape: str) -> str:
    cells = [("layer", "type", "output", "parameters", "multiply-adds", "frozen")]
    cells.append(("input", "", input_shape, "", "", ""))
    for name, kind, shape, parameters, flops, frozen in rows:
        cells.append((name or "total", kind, shape, f"{parameters:,}", f"{flops:,}", f"{frozen:,}" if frozen else ""))
    num_columns = 6 if rows[-1][-1] else 5
    widths = [max(len(row[i]) for row in cells) for i in range(num_columns)]
    lines = []
    for row in cells:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:num_columns], widths[3:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    lines.insert(1, "─" * max(map(len, lines)))
    lines.insert(-1, "─" * max(map(len, lines)))
    return "\n".join(lines)
