"""Measures the vanishing gradient: the norm of the loss's gradient at each position of a sequence.

In a recurrent network dL/dh_t is dL/dh_T times T - t Jacobians dh_k/dh_{k-1}. If their norms stay below 1 it falls
geometrically with the distance from the end; if they exceed 1 it may grow geometrically (Hochreiter 1991; Bengio,
Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, section 2.1). The gradient with respect to
the input vectors x_t is measured, which in a plain RNN is Wᵀ φ' dL/dh_t and is defined for every network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from dltool.figures.gradient_over_time import Band
from dltool.layers.evaluation_mode import evaluation_mode


def gradient_over_time(
    model: nn.Module, loss: Callable[[Tensor], Tensor], inputs: Tensor, mask: Tensor | None = None
) -> Tensor:
    """The L2 norm of the loss's gradient with respect to the model's input at each position.

    Args:
        model: The model that the loss calls; in evaluation mode meanwhile. Its weights and their gradients are not
            changed.
        loss: A scalar function of the inputs.
        inputs: `(B, T, D)`; images `(B, C, H, W)`, whose rows are the positions; or tokens `(B, T)`, for which the
            gradient with respect to the output of the first embedding is taken.
        mask: `(B, T)`, False at padding; None if there is no padding.

    Returns:
        float32 `(B, T)`, NaN at padding.

    Raises:
        ValueError: If the inputs are tokens, and no nn.Embedding reads them.
    """
    # cuDNN has no backward pass of its recurrent layers in evaluation mode.
    with evaluation_mode(model), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        if inputs.is_floating_point():
            vectors = inputs.detach().clone().requires_grad_()
            value = loss(vectors)
        else:
            with embedded(model, inputs.shape) as seen:
                value = loss(inputs)
            if not seen:
                raise ValueError(f"no embedding of {type(model).__name__} reads tokens {tuple(inputs.shape)}")
            vectors = seen[0]
        (gradient,) = torch.autograd.grad(value, vectors)
    over = (1, 3) if gradient.ndim == 4 else (2,)
    norms = gradient.detach().float().norm(dim=over)
    return norms if mask is None else norms.masked_fill(~mask, torch.nan)


@contextmanager
def embedded(model: nn.Module, shape: torch.Size) -> Iterator[list[Tensor]]:
    """In this context, the output of an embedding of tokens of this shape becomes a leaf of the graph, and is kept."""
    seen: list[Tensor] = []

    def hook(_module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> Tensor:
        if arguments[0].shape != shape:
            return output
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    handles = [module.register_forward_hook(hook) for module in model.modules() if isinstance(module, nn.Embedding)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def by_distance(norms: Tensor) -> Tensor:
    """Reorder right-padded norms `(B, T)`, NaN at padding: column d is the position d before each row's last one."""
    length = (~norms.isnan()).sum(1, keepdim=True)
    positions = length - 1 - torch.arange(norms.shape[1], device=norms.device)
    aligned = norms.gather(1, positions.clamp(min=0))
    return aligned.masked_fill(positions < 0, torch.nan)


def relative_quartiles(norms: Tensor) -> Band | None:
    """The quartiles of norms over the sequences, by the distance from the end, relative to the median at the end.

    This shows how the norms fall. Gradients that are zero, infinite or NaN are left out.

    Args:
        norms: `(B, T)`, NaN at padding; see gradient_over_time.

    Returns:
        None if all of them are.
    """
    aligned = by_distance(norms.double())
    aligned = aligned.masked_fill(~(aligned > 0) | aligned.isinf(), torch.nan)
    low, middle, high = aligned.nanquantile(aligned.new_tensor([0.25, 0.5, 0.75]), dim=0)
    reference = middle[~middle.isnan()][:1]
    if len(reference) == 0:
        return None
    return Band(*((curve / reference).numpy() for curve in (low, middle, high)))
