"""What a visitor of a run's page can try: a drawing, a row of a table, an image from a code, a text to be continued."""

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.introspection.forward_operations import NotRecordable
from dltool.introspection.forward_program import record
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.task import Task
from dltool.tasks.uses import TranslatesImages, generates, removes_noise, translates_images

MAX_VALUES = 1_000_000  # Numbers of the network; above 250,000 they are rounded to int8.
MAX_CHANNELS = 4  # Of an image that can be drawn.
MANY = 256  # Codes that show whether all are in [-1, 1].
NUM_IMAGES = 6  # Of each domain, to be translated; fewer if they are large.
MAX_PIXELS = 60_000  # Of the images of a domain.
MAX_INPUTS = 200  # Of a row; those of one or two numbers are on the plane of the page.


def playable(task: Task, spec: DataSpec, held_out: Callable[[int], Batch] | None = None) -> dict[str, Any] | None:
    """The network for a page; None if the page has nothing to try, or the network is too large or not computable there.

    Args:
        task: The task.
        spec: Of its data.
        held_out: Returns a batch of at least so many samples, for tasks that translate images.

    Returns:
        {"kind": "draw", "row", "code", "denoise", "translate" or "continue", "classes": names, "maps": numbers of the
        program's feature maps, "program": see dltool.introspection.forward_program.record}. "scores" says whether the
        outputs for a drawing are logits. A row's program gives the probabilities of the classes; of a number its
        "target" has the "shift" and the "factor" that give it the data's units. A program from codes also takes the
        class, if there are classes; "uniform" says whether the codes are in [-1, 1]. A program that denoises takes an
        image, its noise level and the class, if there are classes; "sampler" is that of dltool.tasks.uses.RemovesNoise.
        In place of a program, networks that translate have "programs" and "images", by direction: base64 of pixels of 0
        … 255, uint8 `(N, C, H, W)`.
    """
    found = playable_or_reason(task, spec, held_out)
    return None if "reason" in found else found


def playable_or_reason(task: Task, spec: DataSpec, held_out: Callable[[int], Batch] | None = None) -> dict[str, Any]:
    """The same, or why there is nothing to try.

    Returns:
        As `playable`, or {"reason": "size", "count": numbers of the model, "most"}, {"reason": "operation", "name": of
        what pages do not compute}, {"reason": "example"} for a model that needs more than the shape of the data, or
        {"reason": "kind"} for one that pages have no controls for.
    """
    if (count := num_values(task.model)) > MAX_VALUES:
        return {"reason": "size", "count": count, "most": MAX_VALUES}
    try:
        return of_task(task, spec, held_out) or {"reason": "kind"}
    except NotRecordable as error:
        return {"reason": "operation", "name": str(error)}
    except Exception:  # A user's model.
        return {"reason": "example"}


def of_task(task: Task, spec: DataSpec, held_out: Callable[[int], Batch] | None) -> dict[str, Any] | None:
    """The network by what the task does; None if pages have no controls for it."""
    device = next(task.model.parameters()).device
    if "continue" in task.uses:
        program = record(task.model, task.model, torch.zeros(1, *spec.input_shape, dtype=torch.long, device=device))
        return {"kind": "continue", "classes": [], "maps": [], "program": program}
    if 2 < spec.input_dim <= MAX_INPUTS and len(spec.input_shape) == 1 and task.predicts and not spec.num_tokens:
        return of_rows(task, spec, torch.zeros(1, *spec.input_shape, device=device))
    if len(spec.input_shape) != 3 or spec.input_shape[0] > MAX_CHANNELS:
        return None
    if translates_images(task):
        return None if held_out is None else of_translation(task, held_out)
    if generates(task):
        sampler = task.sampler() if removes_noise(task) else None
        return of_codes(task, spec) if sampler is None else of_noise(task, spec, sampler)
    if task.predicts_classes and "classify" in task.uses:
        program = record(task.model, task.model, torch.zeros(1, *spec.input_shape, device=device))
        found = {"kind": "draw", "classes": [*spec.class_names], "maps": maps_of(program), "program": program}
        return {**found, "scores": gives_logits(task, spec.output_dim)}
    return None


def gives_logits(task: Task, output_dim: int) -> bool:
    """Whether the softmax of the outputs, or the sigmoid of a single one, is the probability of each class."""
    outputs = torch.randn(8, output_dim, generator=torch.Generator().manual_seed(0))
    found = task.probabilities(outputs) if task.probabilities else None
    if found is None:
        return False
    one = torch.cat([-outputs, outputs], dim=1).sigmoid()
    return torch.allclose(found, one if output_dim == 1 else outputs.softmax(1), atol=1e-5)


def of_rows(task: Task, spec: DataSpec, example: Tensor) -> dict[str, Any] | None:
    """The network for rows of numbers; None for one whose outputs are neither probabilities nor a number."""
    if spec.target == "numbers" and spec.target_dim == 1:
        target = {"shift": [*spec.target_mean] or [0.0], "factor": [*spec.target_std] or [1.0]}
        program = record(task.model, task.model, example)
        return {"kind": "row", "classes": [], "maps": [], "target": target, "program": program}
    probabilities = task.probabilities
    if spec.target not in ("classes", "binary") or probabilities is None:
        return None

    def network(inputs: Tensor) -> Tensor:
        found = probabilities(task.model(inputs))
        if found is None:
            raise NotRecordable("a loss without probabilities")
        return found

    return {"kind": "row", "classes": [*spec.class_names], "maps": [], "program": record(network, task.model, example)}


def of_codes(task: GenerativeTask, spec: DataSpec) -> dict[str, Any]:
    """The network from codes, and classes where it is conditional, to images."""
    codes = task.draw_codes(MANY, torch.Generator().manual_seed(0))
    labels = task.cycle_labels(1, codes.device)
    inputs = [codes[:1]] if labels is None else [codes[:1], labels]
    names = [*spec.class_names] if labels is not None else []
    found = {"kind": "code", "classes": names, "maps": [], "uniform": bool(codes.abs().max() <= 1)}
    return {**found, "program": record(task.decode, task.model, *inputs)}


def of_noise(task: GenerativeTask, spec: DataSpec, sampler: dict[str, Any]) -> dict[str, Any]:
    """The network of one step from noise to images."""
    codes = task.draw_codes(1, torch.Generator().manual_seed(0))
    labels = task.cycle_labels(1, codes.device)
    inputs = [codes, codes.new_ones(1), *([] if labels is None else [labels])]
    names = [*spec.class_names] if labels is not None else []
    program = record(task.model, task.model, *inputs)
    return {"kind": "denoise", "classes": names, "maps": [], "sampler": sampler, "program": program}


def of_translation(task: TranslatesImages, held_out: Callable[[int], Batch]) -> dict[str, Any]:
    """The networks of both directions, with a few images of the domain that each of them takes."""
    batch = held_out(NUM_IMAGES)
    programs, images = {}, {}
    for direction, domain in zip(task.directions, (batch.inputs, batch.targets), strict=True):
        count = max(min(NUM_IMAGES, MAX_PIXELS // domain[0].numel()), 1)
        pixels = ((domain[:count].float().cpu() + 1) * 127.5).round().clamp(0, 255)
        images[direction] = base64.b64encode(pixels.to(torch.uint8).numpy().tobytes()).decode()
        network = partial(task.translate, direction=direction)
        programs[direction] = record(network, task.model, domain[:1])
    return {"kind": "translate", "classes": [], "maps": [], "programs": programs, "images": images}


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
