"""The effective receptive field: how much each pixel affects a unit (Luo et al. 2016, arXiv:1701.04128).

The theoretical field is the set of pixels that can affect a unit. How much each of them does is given by the gradient,
which is largest in the middle: many paths lead from a pixel there to the unit. With random weights the gradient falls
off like a Gaussian, whose width grows only with the square root of the depth (section 2).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dltool.core.randomness import generator
from dltool.layers.evaluation_mode import evaluation_mode

NOTICEABLE = 1 - 0.9545  # Relative to the largest: two standard deviations of a Gaussian (section 3.1).


class EffectiveField(NamedTuple):
    """The effective receptive field of the unit in the middle of a layer's feature maps.

    Attributes:
        weight: The effect of each pixel, `(H, W)` on the CPU, relative to the largest, which is 1.
        unit: Row and column of the unit.
    """

    weight: Tensor
    unit: tuple[int, int]

    @property
    def size(self) -> float:
        """The side of a square with as many pixels as have a noticeable effect (section 3.1)."""
        return float((self.weight >= NOTICEABLE).count_nonzero()) ** 0.5


def effective_fields(model: nn.Module, layers: Sequence[str], images: Tensor) -> dict[str, EffectiveField]:
    """The effect of each pixel on the unit in the middle of each layer.

    As in section 3.1 a gradient of ±1 on the unit in the middle of the feature maps is propagated back to the pixels.
    Here every map has a random sign, and the root mean square is taken over images and channels, where the paper
    averages over random weights and inputs: so this works for trained weights too.

    Args:
        model: Takes images `(B, C, H, W)`; its weights and mode are not changed.
        layers: Paths of modules with feature maps as output.
        images: A few model inputs; they determine through which rectifiers the gradient flows.
    """
    signals: dict[str, Tensor] = {}
    units: dict[str, tuple[int, int]] = {}

    def put_signal(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(_module: nn.Module, _inputs: Any, maps: Tensor) -> None:
            row, column = units[name] = (maps.shape[2] // 2, maps.shape[3] // 2)
            centre = maps[:, :, row, column]  # (B, C)
            signs = torch.randint(2, centre.shape, generator=generator(0, "effective field", name)) * 2.0 - 1.0
            signals[name] = (centre * signs.to(centre)).sum()

        return hook

    handles = [model.get_submodule(name).register_forward_hook(put_signal(name)) for name in layers]
    try:
        with evaluation_mode(model), torch.enable_grad():
            pixels = images.detach().clone().requires_grad_()
            model.forward(pixels)  # Not the compiled version, which calls no hooks.
            fields = {}
            for name in layers:
                (gradient,) = torch.autograd.grad(signals[name], pixels, retain_graph=True)
                weight = gradient.square().sum(dim=(0, 1)).sqrt()  # (H, W)
                weight = weight / weight.max().clamp(min=torch.finfo(weight.dtype).tiny)
                fields[name] = EffectiveField(weight.cpu(), units[name])
            return fields
    finally:
        for handle in handles:
            handle.remove()
