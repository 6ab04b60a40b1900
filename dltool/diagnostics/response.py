"""The response of a convolutional classifier to a shift of its input.

A convolution is equivariant: its map of the input shifted by its stride is its map shifted by one place, wherever the
receptive fields are inside the image. The last features and the probabilities are compared in place; they would be
equal for an invariant network, and pooling with strides makes them so only approximately.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.uncompiled import uncompiled

POOLINGS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True)
class Pass:
    """What one forward pass computes.

    Attributes:
        convolution: The first convolution.
        name: Its path in the model.
        inputs: Its input `(B, C, H, W)`.
        maps: Its output, before the activation.
        pooled: The output of the first pooling after it; None without one.
        features: The input of the last fully connected layer, `(B, D)`; None without one.
        outputs: The model's outputs.
    """

    convolution: nn.Conv2d
    name: str
    inputs: Tensor
    maps: Tensor
    pooled: Tensor | None
    features: Tensor | None
    outputs: Tensor


@dataclass(frozen=True)
class ShiftResponse:
    """Changes by a shift to the right, each the mean over samples of ‖new - old‖ / ‖old‖.

    Attributes:
        shifts: In pixels.
        moved: Of the first maps, shifted back by the same way, inside the borders; NaN where the stride does not divide
            the shift.
        in_place: Of the first maps, at the same places.
        pooled, features: In place; empty without such a layer.
        probability: The mean probability of the class that is predicted without a shift.
    """

    shifts: list[int]
    moved: list[float]
    in_place: list[float]
    pooled: list[float]
    features: list[float]
    probability: list[float]


def shifted(images: Tensor, shift: int) -> Tensor:
    """Images `(B, C, H, W)` moved to the right by `shift` pixels, to the left if negative; the edge is repeated."""
    width = images.shape[-1]
    return images[..., (torch.arange(width, device=images.device) - shift).clamp(0, width - 1)]


def forward_pass(model: nn.Module, images: Tensor) -> Pass | None:
    """Record a forward pass in evaluation mode; None if the model's first convolution does not read the images."""
    found: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.Conv2d):
                found.setdefault("convolution", (module, name, inputs[0].detach(), output.detach().clone()))
            elif isinstance(module, POOLINGS) and "convolution" in found:
                found.setdefault("pooled", output.detach().clone())
            elif isinstance(module, nn.Linear):
                found["features"] = inputs[0].detach()

        return hook

    kinds = (nn.Conv2d, nn.Linear, *POOLINGS)
    handles = [m.register_forward_hook(keep(name)) for name, m in model.named_modules() if isinstance(m, kinds)]
    try:
        with evaluation_mode(model), uncompiled(model), torch.no_grad():
            outputs = model(images).float()
    finally:
        for handle in handles:
            handle.remove()
    if "convolution" not in found or found["convolution"][2].shape != images.shape:
        return None
    module, name, inputs, maps = found["convolution"]
    return Pass(module, name, inputs, maps, found.get("pooled"), found.get("features"), outputs)


def inside(module: nn.Conv2d, width: int, positions: int, shift: int) -> list[int]:
    """The columns of a map whose receptive fields see only pixels of the image that were shifted into it."""
    stride, padding = module.stride[1], module.padding[1] if isinstance(module.padding, tuple) else None
    extent = module.dilation[1] * (module.kernel_size[1] - 1) + 1
    before = (extent - 1) // 2 if padding is None and module.padding == "same" else int(padding or 0)
    first, last = max(shift, 0), width - 1 + min(shift, 0)
    starts = [(column, column * stride - before) for column in range(positions)]
    return [column for column, start in starts if start >= first and start + extent - 1 <= last]


def moved_change(before: Pass, after: Pass, shift: int) -> float:
    """The relative difference between the maps of shifted images and the shifted maps; NaN if none can be compared."""
    module, stride = before.convolution, before.convolution.stride[1]
    if shift % stride:
        return float("nan")
    columns = inside(module, before.inputs.shape[-1], before.maps.shape[-1], shift)
    places = [column - shift // stride for column in columns]
    if not columns or min(places) < 0 or max(places) >= before.maps.shape[-1]:
        return float("nan")
    return relative_change(before.maps[..., places], after.maps[..., columns])


def relative_change(before: Tensor, after: Tensor) -> float:
    """The mean over the samples of ‖after - before‖ / ‖before‖."""
    norms = before.flatten(1).norm(dim=1).clamp(min=1e-12)
    return float(((after - before).flatten(1).norm(dim=1) / norms).mean())


def shift_response(model: nn.Module, images: Tensor, shifts: Sequence[int]) -> ShiftResponse:
    """Measure the response for several shifts of `(B, C, H, W)` images.

    Raises:
        ValueError: The model's first convolution does not read the images.
    """
    first = forward_pass(model, images)
    if first is None:
        raise ValueError("the first convolution does not read the images")
    labels = probabilities(first.outputs).argmax(1, keepdim=True)
    response = ShiftResponse([*shifts], [], [], [], [], [])
    for shift in shifts:
        after = forward_pass(model, shifted(images, shift))
        assert after is not None
        response.moved.append(moved_change(first, after, shift))
        response.in_place.append(relative_change(first.maps, after.maps))
        for values, old, new in (
            (response.pooled, first.pooled, after.pooled),
            (response.features, first.features, after.features),
        ):
            if old is not None and new is not None:
                values.append(relative_change(old, new))
        response.probability.append(float(probabilities(after.outputs).gather(1, labels).mean()))
    return response


def probabilities(outputs: Tensor) -> Tensor:
    """Softmax of logits `(B, K)`; both classes' probabilities for one logit, `(B,)` or `(B, 1)`."""
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        positive = outputs.reshape(-1, 1).sigmoid()
        return torch.cat([1 - positive, positive], dim=1)
    return outputs.softmax(1)
