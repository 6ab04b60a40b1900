"""Parts of a network that compute in 32 bits whatever the rest of it does."""

import contextlib

import torch
from torch import Tensor


def full_precision(like: Tensor) -> contextlib.AbstractContextManager[None]:
    """No autocast meanwhile on the device of `like`; nothing at all where there is none, as in an exported graph."""
    device = like.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()
