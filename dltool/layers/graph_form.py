"""Layers of torch in the form that a graph of any batch size and length can contain."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import RunError
from dltool.layers.recurrent_scan import HINT, read


@contextlib.contextmanager
def graph_form(module: nn.Module) -> Iterator[None]:
    """Within the context, the recurrent layers and bags of a module in evaluation mode compute as a graph can.

    Their outputs are the same up to rounding.
    """
    changed = []
    try:
        for part in module.modules():
            if (form := form_of(part)) is not None:
                part.forward = partial(form, part)
                changed.append(part)
        yield
    finally:
        for part in changed:
            del part.__dict__["forward"]  # The class's method is visible again.


def form_of(part: nn.Module) -> Callable[..., Any] | None:
    """The function that replaces a layer's forward(); its first argument is the layer."""
    if isinstance(part, nn.RNNBase):
        return read
    return bag if isinstance(part, nn.EmbeddingBag) else None


def bag(layer: nn.EmbeddingBag, tokens: Tensor, offsets: Tensor | None = None) -> Tensor:
    """The sums or means `(B, D)` of the vectors of tokens `(B, T)`; torch's kernel fixes the number of tokens.

    Raises:
        RunError: The layer takes a maximum, or one row of tokens with offsets.
    """
    if layer.mode == "max" or offsets is not None or tokens.ndim != 2:
        raise RunError("the bags of a graph are sums or means of tokens (B, T)", HINT)
    vectors = F.embedding(tokens, layer.weight)
    if layer.padding_idx is None:
        return vectors.mean(dim=1) if layer.mode == "mean" else vectors.sum(dim=1)
    real = (tokens != layer.padding_idx)[:, :, None]  # (B, T, 1)
    sums = vectors.masked_fill(~real, 0).sum(dim=1)
    return sums / real.sum(dim=1).clamp(min=1) if layer.mode == "mean" else sums
