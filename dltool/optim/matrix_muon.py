"""Muon for weights with any number of dimensions, each treated as a matrix with one row per output."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim._muon import _adjust_lr, _zeropower_via_newtonschulz

from dltool.optim.optimizer import ParamGroups


class MatrixMuon(torch.optim.Optimizer):
    """Muon that also accepts the filters of convolutions; for matrices it is bitwise equal to torch's Muon.

    A filter bank `(O, I, kH, kW)` is treated as the matrix `(O, I·kH·kW)`, as in Jordan et al. (2024)
    (kellerjordan.github.io/posts/muon), in the momentum and the orthogonalisation; the parameter keeps its shape
    and its memory layout.

    Args:
        params: Parameters with two or more dimensions.
        renormalize: Before each step, scale every matrix to the Frobenius norm √O, so that its rows have norm one on
            average: airbench's way of limiting the growth of filters, in place of weight decay. It assumes a
            normalisation after the layer, so that the scale of its weights does not matter.
        settings: All settings of torch.optim.Muon.
    """

    def __init__(self, params: ParamGroups, *, renormalize: bool, **settings: Any) -> None:
        super().__init__(params, {**settings, "renormalize": renormalize})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.update(weight, group)
        return loss

    def update(self, weight: Tensor, group: dict[str, Any]) -> None:
        """Take one step of one weight."""
        gradient, state = weight.grad, self.state[weight]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient, memory_format=torch.preserve_format)
        average = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(average, group["momentum"]) if group["nesterov"] else average
        matrix = direction.flatten(1)  # (O, I, kH, kW) -> (O, I·kH·kW)
        change = _zeropower_via_newtonschulz(matrix, group["ns_coefficients"], group["ns_steps"], group["eps"])
        if group["renormalize"]:
            weight.mul_(len(weight) ** 0.5 / weight.norm())
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(change.reshape(weight.shape), alpha=-_adjust_lr(group["lr"], group["adjust_lr_fn"], matrix.shape))
