"""Parts of a network that compute in 32 bits under any autocast."""

import contextlib

import torch
from torch import Tensor


def full_precision(like: Tensor) -> contextlib.AbstractContextManager[None]:
    """Disables autocast on the device of `like`; does nothing where there is no autocast, as in an exported graph."""
    device = like.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()
