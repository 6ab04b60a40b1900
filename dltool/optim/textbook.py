"""Two optimizers as lectures write them, where torch's form differs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class TextbookSGD(torch.optim.SGD):
    """Momentum with the learning rate inside the velocity (Sutskever et al. 2013, eq. 1 and 2; Ruder 2016, sec. 4.1).

        v ← γ v + η g      x ← x - v

    The velocity is a displacement, not a gradient. Torch's v ← γ v + g, x ← x - η v is the same as long as η is
    constant. Where η falls, torch weights older gradients by the new η, and this class by the η of their own step, so
    the velocity lasts longer. Nesterov's form (Sutskever et al., eq. 3 and 4, in torch's variables) takes
    x ← x - (γ v + η g) with the new v.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure)
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for parameter in group["params"]:
                if (gradient := decayed_gradient(parameter, group["weight_decay"])) is None:
                    continue
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                velocity = state["momentum_buffer"].mul_(momentum).add_(gradient, alpha=lr)
                if group["nesterov"]:
                    parameter.sub_(velocity, alpha=momentum).sub_(gradient, alpha=lr)
                else:
                    parameter.sub_(velocity)
        return loss


class TextbookRMSprop(torch.optim.RMSprop):
    """RMSprop with ε inside the root (Graves 2013, arXiv:1308.0850, eq. 38 to 41).

        s ← α s + (1 - α) g²      x ← x - η g / √(s + ε)

    Torch has g / (√s + ε). Where s is much smaller than ε the denominator is √ε, so an ε here acts like its square
    root in torch: 1e-8 here is 1e-4 there. Weight decay, momentum and centering (s - m² under the root, m the
    running mean of g) are as in torch.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure)
        for group in self.param_groups:
            alpha, momentum = group["alpha"], group["momentum"]
            names = ["square_avg"] + ["grad_avg"] * group["centered"] + ["momentum_buffer"] * (momentum > 0)
            for parameter in group["params"]:
                if (gradient := decayed_gradient(parameter, group["weight_decay"])) is None:
                    continue
                state = self.state[parameter]
                state["step"] = state.get("step", torch.zeros(())) + 1  # Needed by torch's loading.
                for name in names:
                    if name not in state:
                        state[name] = torch.zeros_like(parameter)
                variance = state["square_avg"].lerp_(gradient.square(), 1 - alpha)
                if group["centered"]:
                    variance = variance - state["grad_avg"].lerp_(gradient, 1 - alpha).square()
                change = gradient / (variance + group["eps"]).sqrt()
                if momentum > 0:
                    change = state["momentum_buffer"].mul_(momentum).add_(change)
                parameter.sub_(change, alpha=group["lr"])
        return loss


def evaluate(closure: Callable[[], Any] | None) -> Any:
    """The loss of a closure, which fills the gradients; None without one."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def decayed_gradient(parameter: Tensor, weight_decay: float) -> Tensor | None:
    """g + λ x, or None if there is no gradient."""
    if parameter.grad is None:
        return None
    return parameter.grad.add(parameter, alpha=weight_decay) if weight_decay else parameter.grad
