"""The rate that an adaptive optimizer has for each parameter."""

import math
from typing import Any

import torch
from torch import Tensor

from dltool.optim.textbook import TextbookRMSprop


@torch.no_grad()
def effective_rates(optimizer: torch.optim.Optimizer) -> list[Tensor] | None:
    """The factor of the gradient, or of its running mean, in the step that was just taken, for each number.

        SGD, also with momentum:  η
        Adagrad:                  η / (√Σg² + ε)
        RMSprop:                  η / (√s + ε), s the running mean of g²
        Adam, AdamW:              η / (√ŝ + ε), ŝ = s / (1 - β₂ᵗ)

    Adam multiplies it by m̂, SGD and RMSprop with momentum by the velocity, the others by g.

    Returns:
        Float64 tensors in the order of the optimizer's parameters; None for an optimizer without such a factor, and
        before its first step.
    """
    found = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            rate = rate_of(optimizer, group, optimizer.state.get(parameter, {}))
            if rate is None:
                return None
            found.append(torch.as_tensor(rate, dtype=torch.float64).expand(parameter.shape).cpu())
    return found


def rate_of(optimizer: torch.optim.Optimizer, group: dict[str, Any], state: dict[str, Any]) -> Tensor | float | None:
    """The rates of one parameter."""
    rate = float(group["lr"])
    if isinstance(optimizer, torch.optim.SGD):
        return rate
    if not state:
        return None
    steps = float(state["step"]) if "step" in state else math.nan
    if isinstance(optimizer, torch.optim.Adagrad):
        slowed: float = rate / (1 + (steps - 1) * group["lr_decay"])
        return slowed / (state["sum"].double().sqrt() + group["eps"])
    if isinstance(optimizer, torch.optim.RMSprop):
        variance = state["square_avg"].double()
        if group["centered"]:
            variance = variance - state["grad_avg"].double().square()
        inside = isinstance(optimizer, TextbookRMSprop)
        return rate / ((variance + group["eps"]).sqrt() if inside else variance.sqrt() + group["eps"])
    if isinstance(optimizer, torch.optim.Adam | torch.optim.AdamW):
        square = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"].double()
        return rate / ((square / (1 - group["betas"][1] ** steps)).sqrt() + group["eps"])
    return None
