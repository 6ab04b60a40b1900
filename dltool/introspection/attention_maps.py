"""Where a network looks: the attention weights of every layer for one input."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dltool.layers.attention import MultiHeadAttention
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.sequence_attention import SequenceAttention

Attention = MultiHeadAttention | SequenceAttention


def attention_maps(model: nn.Module, *inputs: Tensor) -> dict[str, Tensor]:
    """The weights of each attention, by its path in the model; of a model without attention, none.

    Args:
        model: Its mode stays as it is.
        inputs: What its forward() takes, a batch of one: `(1, T)`; for an encoder-decoder the source and the target.

    Returns:
        float32 `(H, T, S)` on the CPU in the order of the model's modules: how much of each of S keys each of T
        queries takes, summing to 1 over the keys (to 0 where a query may look nowhere). A recurrent decoder's attention
        has one head.
    """
    with keeping_weights(model) as layers, evaluation_mode(model), torch.no_grad():
        model.forward(*inputs)  # Not what was compiled of it, which may not keep them.
        found = {name: layer.weights[0].float().cpu() for name, layer in layers.items() if layer.weights is not None}
    return {name: weights if weights.ndim == 3 else weights[None] for name, weights in found.items()}


@contextmanager
def keeping_weights(model: nn.Module) -> Iterator[dict[str, Attention]]:
    """In here every attention below the model leaves the weights of its newest call in `weights`.

    Yields:
        Those attentions, by their path in the model.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, Attention)}
    before = {name: layer.keeps_weights for name, layer in layers.items()}
    for layer in layers.values():
        layer.keeps_weights, layer.weights = True, None
    try:
        yield layers
    finally:
        for name, layer in layers.items():
            layer.keeps_weights, layer.weights = before[name], None
