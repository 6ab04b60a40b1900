"""Three corrections to torch's Optimizer.load_state_dict, without which a resumed run would differ."""

from typing import Any

import torch
from torch import Tensor


def keep_kernels(optimizer: torch.optim.Optimizer, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Before loading: keep this optimizer's choice of kernels, as the checkpoint may come from another device."""
    groups = [
        saved | {switch: present[switch] for switch in ("foreach", "fused") if switch in present}
        for saved, present in zip(state_dict["param_groups"], optimizer.param_groups, strict=True)
    ]
    return {**state_dict, "param_groups": groups}


def restore_strides(optimizer: torch.optim.Optimizer) -> None:
    """After loading: give the state the memory layout of its parameter, which may be channels_last.

    A checkpoint holds contiguous tensors. The fused CPU kernels traverse parameter, gradient and state in parallel
    and ignore strides, so they would silently pair the wrong elements.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def restore_mu_product(optimizer: torch.optim.Optimizer) -> None:
    """After loading: undo the cast of NAdam's "mu_product" to the parameters' dtype and device.

    A new one is float32 on the CPU; with float64 parameters the two would continue differently.
    """
    for state in optimizer.state.values():
        state["mu_product"] = state["mu_product"].to("cpu", torch.float32)
