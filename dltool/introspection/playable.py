"""What a visitor of a run's page can try: a class for a drawing, an image from a code, the continuation of a text."""

from typing import Any

import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.introspection.forward_program import record
from dltool.tasks.task import Task
from dltool.tasks.uses import generates

MAX_VALUES = 1_000_000  # Numbers of the network; above 250,000 they are rounded to int8.
MAX_CHANNELS = 4  # Of an image that can be drawn.


def playable(task: Task, spec: DataSpec) -> dict[str, Any] | None:
    """The network for a page; None if the page has nothing to try, or the network is too large or not computable there.

    Returns:
        {"kind": "draw", "code" or "continue", "classes": names, "maps": numbers of the program's feature maps,
        "program": see dltool.introspection.forward_program.record}.
    """
    if num_values(task.model) > MAX_VALUES:
        return None
    device = next(task.model.parameters()).device
    try:
        if "continue" in task.uses:
            program = record(task.model, task.model, torch.zeros(1, *spec.input_shape, dtype=torch.long, device=device))
            return {"kind": "continue", "classes": [], "maps": [], "program": program}
        if len(spec.input_shape) != 3 or spec.input_shape[0] > MAX_CHANNELS:
            return None
        if generates(task):
            codes = task.draw_codes(1, torch.Generator(device).manual_seed(0))
            program = record(task.decode, task.model, codes)
            return {"kind": "code", "classes": [], "maps": [], "program": program}
        if task.predicts_classes and "classify" in task.uses:
            program = record(task.model, task.model, torch.zeros(1, *spec.input_shape, device=device))
            return {"kind": "draw", "classes": [*spec.class_names], "maps": maps_of(program), "program": program}
    except Exception:  # An operation that pages do not compute, or a user's model that needs more than a shape.
        return None
    return None


def num_values(model: nn.Module) -> int:
    return sum(tensor.numel() for tensor in model.state_dict().values())


def maps_of(program: dict[str, Any]) -> list[int]:
    """The outputs of the convolutions, after their activation if it follows at once."""
    steps = program["steps"]
    found = []
    for step, following in zip(steps, [*steps[1:], {"op": "", "inputs": []}], strict=True):
        if step["op"] == "conv2d":
            follows = following["op"] in ("relu", "tanh", "sigmoid") and step["output"] in following["inputs"]
            found.append(following["output"] if follows else step["output"])
    return found
