"""What the layers of a network make of an image: the first one's kernels, the maps of each."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dltool.layers.evaluation_mode import evaluation_mode


class Maps(NamedTuple):
    """What a layer gave for one image.

    Attributes:
        name: The layer's path.
        kind: Its class.
        maps: `(C, H, W)` on the CPU.
    """

    name: str
    kind: str
    maps: Tensor


class Kernels(NamedTuple):
    """The weights of the layer that looks at the image.

    Attributes:
        name: The layer's path, and the position of the kernels where they are others at each.
        weights: float32 `(K, C, height, width)` on the CPU, C channels of the image (fewer where the layer has groups).
        whole: Whether each is as large as the image: a full connection.
    """

    name: str
    weights: Tensor
    whole: bool


def has_weights(module: nn.Module) -> bool:
    """Whether a layer has kernels or a matrix of its own, trained or fixed; norms and pooling have not."""
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return any(tensor.ndim >= 2 for tensor in tensors)


def feature_maps(model: nn.Module, image: Tensor) -> list[Maps]:
    """The maps of each layer that has weights and gives maps `(1, C, H, W)`, in the order of the computation.

    Args:
        model: Its weights and mode stay as they are.
        image: `(1, C, H, W)`, as the model takes it.
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
    """The kernels of the first layer that looks at the image itself; None where there is none that can be drawn."""
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
    """Let an image pass in evaluation mode, with a hook on each of the layers."""
    handles = [model.get_submodule(name).register_forward_hook(make_hook(name)) for name in layers]
    try:
        with evaluation_mode(model), torch.no_grad():
            model.forward(image)  # Not what was compiled of it, which knows of no hook.
    finally:
        for handle in handles:
            handle.remove()
