"""The kernels of a network's first layer, and the feature maps of each layer for an image."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dltool.layers.evaluation_mode import evaluation_mode


class Maps(NamedTuple):
    """The feature maps of a layer for one image.

    Attributes:
        name: The layer's path.
        kind: Its class.
        maps: `(C, H, W)` on the CPU.
    """

    name: str
    kind: str
    maps: Tensor


class Kernels(NamedTuple):
    """The weights of the first layer, which reads the image.

    Attributes:
        name: The layer's path, and the position of the kernels if they differ by position.
        weights: float32 `(K, C, height, width)` on the CPU, C channels of the image (fewer if the layer has groups).
        whole: Whether each is as large as the image, as in a fully connected layer.
    """

    name: str
    weights: Tensor
    whole: bool


def has_weights(module: nn.Module) -> bool:
    """Whether a layer has its own kernels or matrix, trained or fixed; norms and pooling do not."""
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return any(tensor.ndim >= 2 for tensor in tensors)


def feature_maps(model: nn.Module, image: Tensor) -> list[Maps]:
    """The maps of each layer that has weights and an output `(1, C, H, W)`, in the order of the computation.

    Args:
        model: Its weights and mode are not changed.
        image: A model input `(1, C, H, W)`.
    """
    found: list[Maps] = []

    def note(name: str) -> Callable[[nn.Module, Any, object], None]:
        def hook(module: nn.Module, _inputs: Any, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and max(output.shape[2:]) > 1:
                found.append(Maps(name, type(module).__name__, output[0].detach().float().cpu().clone()))

        return hook

    passing(model, image, note, [name for name, module in model.named_modules() if has_weights(module)])
    return found


def first_kernels(model: nn.Module, image: Tensor) -> Kernels | None:
    """The kernels of the first layer that reads the image itself; None if none can be drawn."""
    looking: list[str] = []

    def note(name: str) -> Callable[[nn.Module, Any, object], None]:
        def hook(_module: nn.Module, inputs: Any, _output: object) -> None:
            if inputs and isinstance(inputs[0], Tensor) and inputs[0].numel() == image.numel():
                looking.append(name)

        return hook

    passing(model, image, note, [name for name, module in model.named_modules() if has_weights(module)])
    for name in looking:
        weight = getattr(model.get_submodule(name), "weight", None)
        if not isinstance(weight, Tensor):
            continue
        weight = weight.detach().float().cpu()
        if weight.ndim == 5:  # Locally connected, `(L, K, C, height, width)`: the middle one of L positions.
            name, weight = f"{name} in the middle", weight[len(weight) // 2]
        if weight.ndim == 4 and image.shape[1] % weight.shape[1] == 0:
            return Kernels(name, weight, whole=False)
        if weight.ndim == 2 and weight.shape[1] == image[0].numel():
            return Kernels(name, weight.unflatten(1, image.shape[1:]), whole=True)
    return None


def passing(
    model: nn.Module, image: Tensor, make_hook: Callable[[str], Callable[..., None]], layers: Sequence[str]
) -> None:
    """Run the model on an image in evaluation mode, with a hook on each of the layers."""
    handles = [model.get_submodule(name).register_forward_hook(make_hook(name)) for name in layers]
    try:
        with evaluation_mode(model), torch.no_grad():
            model.forward(image)  # Not the compiled version, which calls no hooks.
    finally:
        for handle in handles:
            handle.remove()
