"""SparseAdam, for networks that consist of sparse embeddings only."""

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.declarations.component import Fraction, Positive, register
from dltool.declarations.processes import needs_one_process
from dltool.optim.optimizer import Optimizer, ParamGroups, has_no_weight_decay, needs_unclipped_gradients


@register("optim", "sparse_adam", into=Optimizer)
@needs_unclipped_gradients  # torch cannot clip sparse ones.
@has_no_weight_decay
@needs_one_process  # Sparse gradients have no common rows to add up.
def sparse_adam(
    params: ParamGroups,
    module: nn.Module,
    *,
    lr: Positive[float] = 1e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: Positive[float] = 1e-8,
) -> torch.optim.SparseAdam:
    """Adam that changes only the rows of an embedding that are in the batch (Kingma and Ba, 2015, lazily applied).

    Raises:
        ConfigError: If a trainable parameter is not the weight of an `nn.Embedding(sparse=True)`; all others
            have dense gradients, which SparseAdam refuses.
    """
    embeddings = [layer for layer in module.modules() if isinstance(layer, (nn.Embedding, nn.EmbeddingBag))]
    sparse = {id(layer.weight) for layer in embeddings if layer.sparse}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in sparse:
            message = f"optim=sparse_adam takes sparse gradients; {name} of {type(module).__name__} has dense ones"
            raise ConfigError(message, "optim=adam; only nn.Embedding(sparse=True) has sparse gradients")
    return torch.optim.SparseAdam(params, lr=lr, betas=betas, eps=eps)
