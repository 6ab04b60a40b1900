"""Activations by their names in the YAML."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def activation(name: str, *, negative_slope: float = 0.01) -> nn.Module:
    """A new activation module.

    Args:
        name: A key of ACTIVATIONS, or "leaky_relu".
        negative_slope: Slope of "leaky_relu" below zero; the others have none.
    """
    return nn.LeakyReLU(negative_slope) if name == "leaky_relu" else ACTIVATIONS[name]()


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3), the squashing function of LeCun et al. (1998), eq. 6 and appendix A.

    The constants make f(1) = 1 and f(-1) = -1, so that targets of ±1 lie where the curvature is largest and
    not on the flat asymptotes.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(inputs * (2 / 3))


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "scaled_tanh": ScaledTanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softmax": lambda: nn.Softmax(dim=-1),
}
