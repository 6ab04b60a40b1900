"""The attention weights of every layer for one input."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dltool.layers.attention import MultiHeadAttention
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.sequence_attention import SequenceAttention

Attention = MultiHeadAttention | SequenceAttention


def attention_maps(model: nn.Module, *inputs: Tensor) -> dict[str, Tensor]:
    """The weights of each attention layer, by its path in the model; empty for a model without attention.

    Args:
        model: Its mode is restored afterwards.
        inputs: The arguments of forward(), a batch of one: `(1, T)`; for an encoder-decoder the source and the target.

    Returns:
        float32 `(H, T, S)` on the CPU in the order of the model's modules: the weight of each of S keys for each of T
        queries, summing to 1 over the keys (to 0 if all keys are masked for a query). A recurrent decoder's attention
        has one head.
    """
    with keeping_weights(model) as layers, evaluation_mode(model), torch.no_grad():
        model.forward(*inputs)  # Not the compiled version, which may not keep them.
        found = {name: layer.weights[0].float().cpu() for name, layer in layers.items() if layer.weights is not None}
    return {name: weights if weights.ndim == 3 else weights[None] for name, weights in found.items()}


@contextmanager
def keeping_weights(model: nn.Module) -> Iterator[dict[str, Attention]]:
    """In this context every attention layer of the model stores the weights of its latest call in `weights`.

    Yields:
        The attention layers, by their path in the model.
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
