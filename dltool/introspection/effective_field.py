"""The effective receptive field: how much each pixel matters to a unit (Luo et al. 2016, arXiv:1701.04128).

The theoretical field says which pixels a unit can see. How much it changes with each of them is the gradient, and that
is largest in the middle: the many paths from a pixel there to the unit add up, so that with random weights the gradient
falls off like a Gaussian, over a width that grows with the square root of the depth only (section 2).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dltool.core.randomness import generator
from dltool.layers.evaluation_mode import evaluation_mode

NOTICEABLE = 1 - 0.9545  # Of the largest: what lies within two standard deviations of a Gaussian (section 3.1).


class EffectiveField(NamedTuple):
    """What matters to the unit in the middle of a layer's maps.

    Attributes:
        weight: How much each pixel does, `(H, W)` on the CPU, 1 for the one that matters most.
        unit: Row and column of the unit.
    """

    weight: Tensor
    unit: tuple[int, int]

    @property
    def size(self) -> float:
        """The side of the square that has as many pixels as matter noticeably (section 3.1)."""
        return float((self.weight >= NOTICEABLE).count_nonzero()) ** 0.5


def effective_fields(model: nn.Module, layers: Sequence[str], images: Tensor) -> dict[str, EffectiveField]:
    """How much each pixel matters to the unit in the middle of each layer.

    As in section 3.1 a gradient of ±1 is put on the unit in the middle of the maps, and goes back to the pixels. Here
    every map has a random sign, and the root of the mean square is taken over images and channels, where the paper
    averages over random weights and inputs: so trained weights can be looked at too.

    Args:
        model: Takes images `(B, C, H, W)`; its weights and mode stay as they are.
        layers: Paths of modules that give maps.
        images: A few, as the model takes them; what they show decides which rectifiers let the gradient through.
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
            model.forward(pixels)  # Not what was compiled of it, which knows of no hook.
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
