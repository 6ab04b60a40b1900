"""The hidden layers of a fully connected network."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from dltool.layers.activation import activation


def hidden_layers(
    widths: Sequence[int],
    activation_name: str,
    *,
    negative_slope: float = 0.01,
    norm: Literal["batch", "layer"] | None = None,
    dropout: float = 0.0,
    bias: bool = True,
) -> list[nn.Module]:
    """Linear map, norm, activation and dropout, in this order, from each width to the next.

    Args:
        widths: Of the input and of each hidden layer; a single width gives no layers.
        activation_name: See dltool.layers.activation.
        negative_slope: Of leaky ReLU.
        norm: How the pre-activations are normalised.
        dropout: Share of the activations set to zero in training.
        bias: Whether the linear maps have a bias; never before batch norm, which would subtract it again.
    """
    layers: list[nn.Module] = []
    for in_dim, out_dim in pairwise(widths):
        layers.append(nn.Linear(in_dim, out_dim, bias=bias and norm != "batch"))
        if norm is not None:
            layers.append(NORMS[norm](out_dim))
        layers.append(activation(activation_name, negative_slope=negative_slope))
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    return layers


class BatchNorm(nn.BatchNorm1d):
    """torch's, extended to batches of a single sample.

    One sample has no variance, so torch refuses it, although the last batch of an epoch may have only one. It is
    normalised by the running statistics, as in evaluation, and does not update them.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training and len(inputs) == 1:
            return F.batch_norm(inputs, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(inputs)


NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "layer": nn.LayerNorm}
