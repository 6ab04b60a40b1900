"""A model layer by layer: output shapes, receptive fields, parameters, multiply-adds."""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dltool.core.numerals import counted
from dltool.core.spec import DataSpec
from dltool.introspection.field import Field, field_of, mark
from dltool.introspection.forward_memory import example_inputs
from dltool.introspection.receptive_field import following_fields


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        name: The layer's path; empty for the whole model.
        kind: Its class.
        shape: The shape of its output, without the batch.
        field: The receptive field of its units; None if the input is not an image.
    """

    name: str
    kind: str
    shape: str
    field: Field | None
    num_parameters: int
    multiply_adds: int
    num_frozen: int


def count_parameters(model: nn.Module) -> str:
    """ "61,706 parameters", with the number of frozen ones if there are any."""
    total = sum(p.numel() for p in model.parameters())
    frozen = total - num_trained(model)
    return counted(total, "parameter") + (f" ({frozen:,} frozen)" if frozen else "")


def num_trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def layer_table(model: nn.Module, spec: DataSpec) -> str:
    """The layers as text; see `layer_cells`."""
    return render(layer_cells(model, spec))


def layer_cells(model: nn.Module, spec: DataSpec, *, traced: bool = True) -> list[list[str]]:
    """The headings, the input, a row per layer in the order of the forward pass, and the whole model.

    Columns that are empty for all layers are left out: receptive fields, frozen parameters.

    Multiply-adds are those of matrix products and convolutions, for one sample (torch's FLOP counter, which
    counts a multiplication and an addition as two, halved); cheaper operations are not counted. If the layers have
    receptive fields smaller than the image, these are listed, with the jump from a unit's field to its neighbour's.

    Args:
        model: A model on any device, including "meta".
        spec: Gives the shape of one sample.
        traced: Follow each operation, for receptive fields and multiply-adds. torch then imports its compiler, which
            takes two seconds.
    """
    rows: list[Row] = []
    names = {module: name for name, module in model.named_modules()}
    handles, seen = [], set()

    def note(module: nn.Module, _: object, output: object) -> None:
        first = module not in seen
        seen.add(module)
        parameters = sum(p.numel() for p in module.parameters()) if first else 0
        frozen = parameters - num_trained(module) if first else 0
        counts = counter.flop_counts[f"{type(model).__name__}.{names[module]}"] if counter else {}
        flops = sum(counts.values())
        kind = type(module).__name__
        field = None if isinstance(module, nn.Flatten) else field_of(output)  # Its units are those before it.
        rows.append(Row(names[module], kind, shape_of(output), field, parameters, flops // 2, frozen))

    device = next(model.parameters()).device
    inputs = example_inputs(spec, device)
    counter = FlopCounterMode(display=False) if traced else None
    was_training = model.training
    with following_fields(model) if traced else nullcontext(), counter or nullcontext(), torch.no_grad():
        for module in model.modules():  # After the hooks of following_fields, whose fields they read.
            if not list(module.children()) and module is not model:
                handles.append(module.register_forward_hook(note))
        output = model.eval()(*(mark(part) if part.ndim == 4 else part for part in inputs))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    own = sum(p.numel() for p in model.parameters())
    total = counter.get_total_flops() // 2 if counter else 0
    rows.append(Row("", type(model).__name__, shape_of(output), None, own, total, own - num_trained(model)))
    return as_cells(rows, spec.describe_input(), traced)


def shape_of(output: object) -> str:
    """ "6×28×28", without the batch; of several outputs, as from a recurrent layer, the first."""
    if isinstance(output, tuple) and output:
        output = output[0]
    return "×".join(map(str, output.shape[1:])) or "1" if isinstance(output, Tensor) else "?"


def as_cells(rows: list[Row], input_shape: str, traced: bool) -> list[list[str]]:
    """The rows as texts below their headings."""
    cells = [("layer", "type", "output", "receptive field", "jump", "parameters", "multiply-adds", "frozen")]
    cells.append(("input", "", input_shape, "", "", "", "", ""))
    for name, kind, shape, field, parameters, flops, frozen in rows:
        seen = (field.size, field.jump) if field else ("", "")
        numbers = (f"{parameters:,}", f"{flops:,}", f"{frozen:,}" if frozen else "")
        cells.append((name or "total", kind, shape, *seen, *numbers))
    has_fields = any(row.field is not None and row.field.axes is not None for row in rows)
    shown = [0, 1, 2, *([3, 4] if has_fields else []), 5, *([6] if traced else [])]
    shown += [7] if rows[-1].num_frozen else []
    return [[row[i] for i in shown] for row in cells]


def render(cells: list[list[str]]) -> str:
    """Aligned columns, with a line below the headings and above the total."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(widths[i]) if i < 3 else cell.rjust(widths[i]) for i, cell in enumerate(row)).rstrip()
        for row in cells
    ]
    lines.insert(1, "─" * max(map(len, lines)))
    lines.insert(-1, "─" * max(map(len, lines)))
    return "\n".join(lines)
