"""Statistics that show a discriminator the variety within a batch."""

import torch
from torch import Tensor, nn


class MinibatchStd(nn.Module):
    """Adds a channel with the standard deviation over a few samples (Karras et al. 2018, arXiv:1710.10196, section 3).

    It is taken over each group of `group_size` samples, at each position of each channel, and averaged to one number
    per group: it exposes a generator that always makes the same image. Deviation from the paper: where the batch does
    not divide into groups, the first samples fill up the last groups.

    Args:
        group_size: Samples in a group, at most the batch size.
    """

    def __init__(self, group_size: int = 4) -> None:
        super().__init__()
        self.group_size = group_size

    def forward(self, inputs: Tensor) -> Tensor:
        """`(B, C + 1, H, W)` of `(B, C, H, W)`."""
        count = len(inputs)
        size = min(self.group_size, count)
        filled = torch.cat([inputs, inputs[: -count % size]])
        groups = filled.float().unflatten(0, (size, -1))  # (G, B / G, C, H, W)
        variances = (groups - groups.mean(dim=0)).square().mean(dim=0)
        deviations = (variances + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (B / G,)
        channel = deviations.repeat(size)[:count, None, None, None].expand(-1, 1, *inputs.shape[2:])
        return torch.cat([inputs, channel.to(inputs.dtype)], dim=1)
