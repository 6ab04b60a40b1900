"""The activations that the probe recognizes, as modules and as functions."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.layers.activation import ScaledTanh

ACTIVATION_MODULES = (
    *(nn.Sigmoid, nn.Tanh, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU),
    *(nn.Softplus, nn.Hardtanh, nn.Hardswish, ScaledTanh),
)
ACTIVATION_FUNCTIONS: frozenset[Any] = frozenset(
    [
        *(F.relu, F.leaky_relu, F.elu, F.selu, F.gelu, F.silu, F.tanh, F.sigmoid, F.softplus, F.hardtanh, F.relu6),
        *(torch.relu, torch.tanh, torch.sigmoid, Tensor.relu, Tensor.tanh, Tensor.sigmoid),
    ]
)
