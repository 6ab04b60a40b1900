"""Muon for the hidden matrices with AdamW or SGD for all other parameters: two torch optimizers that act as one."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Literal

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.declarations.component import Fraction, NonNegative, Positive, register, requires
from dltool.optim.fused import fused
from dltool.optim.matrix_muon import MatrixMuon
from dltool.optim.optimizer import Optimizer, ParamGroups
from dltool.optim.stepping import take_step


@register("optim", "muon", into=Optimizer)
@requires(
    lambda config: config.optim.other != "sgd" or not config.optim.sgd_nesterov or config.optim.sgd_momentum > 0,
    "optim.sgd_nesterov=true needs momentum, but optim.sgd_momentum is 0",
    hint="optim.sgd_nesterov=false",
)
def muon(
    params: ParamGroups,
    module: nn.Module,
    *,
    lr: Positive[float] = 1e-3,
    weight_decay: NonNegative[float] = 0.1,
    momentum: Fraction[float] = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    eps: NonNegative[float] = 1e-7,
    ns_steps: Positive[int] = 5,
    adjust_lr_fn: Literal["original", "match_rms_adamw", "spectral_unclamped"] | None = None,
    filters: bool = False,
    renormalize: bool = False,
    other: Literal["adamw", "sgd"] = "adamw",
    adamw_lr: Positive[float] = 1e-3,
    adamw_betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    adamw_eps: NonNegative[float] = 1e-8,
    adamw_weight_decay: NonNegative[float] = 1e-2,
    sgd_lr: Positive[float] = 0.1,
    sgd_momentum: Fraction[float] = 0.9,
    sgd_nesterov: bool = True,
    sgd_weight_decay: NonNegative[float] = 0.0,
) -> "JointOptimizer":
    """Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon): orthogonalised momentum.

    `adjust_lr_fn` scales the step of an A×B matrix by √max(1, A/B) ("original", null), 0.2·√max(A, B)
    ("match_rms_adamw", Liu et al., 2025, arXiv:2502.16982: learning rates tuned for AdamW then apply) or
    √(A/B). With `filters`, the weights of convolutions count as hidden matrices, one row per filter; `renormalize`
    scales every matrix to rows of norm one on average before each step (see MatrixMuon). Every parameter that is not a
    hidden matrix is updated by `other`, with the fields prefixed by its name. The defaults are torch's; with the
    original scaling Jordan et al. use lr 0.02.

    Raises:
        ConfigError: If the network has no trainable hidden matrix.
    """
    hidden, rest = split(params, hidden_matrices(module, filters=filters))
    if not hidden:
        raise no_hidden_matrix(module, filters=filters)
    parts: list[torch.optim.Optimizer] = [
        MatrixMuon(
            hidden,
            renormalize=renormalize,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )
    ]
    if rest and other == "adamw":
        parts.append(make_adamw(rest, adamw_lr, adamw_betas, adamw_eps, adamw_weight_decay))
    elif rest:
        parts.append(make_sgd(rest, sgd_lr, sgd_momentum, sgd_weight_decay, nesterov=sgd_nesterov))
    return JointOptimizer(parts)


def make_adamw(
    params: ParamGroups, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
) -> torch.optim.AdamW:
    fuse = fused(torch.optim.AdamW, params)
    return torch.optim.AdamW(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=fuse)


def make_sgd(
    params: ParamGroups, lr: float, momentum: float, weight_decay: float, *, nesterov: bool
) -> torch.optim.SGD:
    fuse = fused(torch.optim.SGD, params)
    return torch.optim.SGD(params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=fuse)


def no_hidden_matrix(module: nn.Module, *, filters: bool) -> ConfigError:
    what = "convolutions and linear layers" if filters else "linear layers"
    message = f"optim=muon is for {what} before the last one, and {type(module).__name__} has none to train"
    convolutions = any(weight.ndim > 2 and weight.requires_grad for weight in module.parameters())
    return ConfigError(message, "optim.filters=true includes convolutions" if convolutions else "optim=adamw")


def hidden_matrices(module: nn.Module, *, filters: bool = False) -> list[nn.Parameter]:
    """The two-dimensional parameters, except those of embeddings and the last one, which is the head.

    Jordan et al. exclude the input layer too. That concerns inputs that select rows; here a first linear layer over
    numbers is treated like any other, and so is a first convolution.

    Args:
        module: The network.
        filters: Include the weights of convolutions, the last one too: a head that is a convolution is not
            distinguished from the others.
    """
    embeddings = {id(layer.weight) for layer in module.modules() if isinstance(layer, (nn.Embedding, nn.EmbeddingBag))}
    matrices = [weight for weight in module.parameters() if weight.ndim == 2 and id(weight) not in embeddings]
    matrices = matrices[:-1]
    if filters:
        convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
        banks = {id(layer.weight) for layer in module.modules() if isinstance(layer, convolutions)}
        matrices += [weight for weight in module.parameters() if id(weight) in banks]
    return matrices


def split(groups: ParamGroups, chosen: list[nn.Parameter]) -> tuple[ParamGroups, ParamGroups]:
    """Divide each group into its chosen parameters and the others; empty groups are dropped."""
    ids = {id(parameter) for parameter in chosen}
    inside = [group | {"params": [p for p in group["params"] if id(p) in ids]} for group in groups]
    outside = [group | {"params": [p for p in group["params"] if id(p) not in ids]} for group in groups]
    return [group for group in inside if group["params"]], [group for group in outside if group["params"]]


class JointOptimizer(torch.optim.Optimizer):
    """Several optimizers over different parameters, stepped, scheduled, saved and loaded as one.

    The parts share this optimizer's parameter groups and state, as the same objects: its state_dict is an
    ordinary one that covers them all, and a learning rate written to its groups takes effect in the part.
    """

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], defaults={})
        for part in parts:
            self.state.update(part.state)
        self.share()

    def share(self) -> None:
        """Give each part its slice of the groups, and the whole state."""
        groups = iter(self.param_groups)
        for part in self.parts:
            own = list(islice(groups, len(part.param_groups)))
            part.__setstate__({"param_groups": own, "state": self.state})

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.share()  # load_state_dict calls this with new groups and state.

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step every part; the closure, if any, is evaluated once."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            take_step(part)
        return loss
