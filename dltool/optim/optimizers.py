"""The first-order optimizers of torch.optim under their usual names.

Those with requirements of their own have files of their own: dltool.optim.lbfgs, .muon and .sparse_adam.

Fields and defaults are torch's, except `lr_in_velocity` and `eps_inside_root`. The implementation switches (foreach,
capturable, differentiable, maximize) are omitted; fused kernels are used wherever they run
(dltool.optim.fused).
"""

import torch
from torch import nn

from dltool.declarations.component import Fraction, NonNegative, Positive, Probability, register, requires
from dltool.optim.fused import fused, has_sparse_gradients
from dltool.optim.loading import restore_mu_product
from dltool.optim.optimizer import Optimizer, ParamGroups, has_no_weight_decay
from dltool.optim.textbook import TextbookRMSprop, TextbookSGD


@register("optim", "none")
def none() -> None:
    """No optimizer, for a task that changes the weights by its own rule (Rosenblatt's)."""


@register("optim", "sgd", into=Optimizer)
@requires(
    lambda config: not config.optim.nesterov or (config.optim.momentum > 0 and config.optim.dampening == 0),
    "optim.nesterov=true needs momentum without dampening",
    hint="optim.momentum=0.9 optim.dampening=0",
)
@requires(
    lambda config: not config.optim.lr_in_velocity or (config.optim.momentum > 0 and config.optim.dampening == 0),
    "optim.lr_in_velocity=true needs momentum without dampening",
    hint="optim.momentum=0.9 optim.dampening=0",
)
def sgd(
    params: ParamGroups,
    module: nn.Module,
    *,
    lr: Positive[float] = 1e-3,
    momentum: Fraction[float] = 0.0,
    dampening: Probability[float] = 0.0,
    weight_decay: NonNegative[float] = 0.0,
    nesterov: bool = False,
    lr_in_velocity: bool = False,
) -> torch.optim.SGD:
    """Stochastic gradient descent (Robbins and Monro, 1951), with momentum (Polyak, 1964; Sutskever et al., 2013).

    Torch's form, v ← μv + (1 - dampening)g and w ← w - lr·v. `lr_in_velocity` takes the lectures' instead,
    v ← μv + lr·g and w ← w - v, which differs while the learning rate changes (dltool.optim.textbook).
    """
    if lr_in_velocity:
        return TextbookSGD(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
    return torch.optim.SGD(
        params,
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        weight_decay=weight_decay,
        nesterov=nesterov,
        fused=None if has_sparse_gradients(module) else fused(torch.optim.SGD, params),
    )


@register("optim", "adam", into=Optimizer)
def adam(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 0.0,
    amsgrad: bool = False,
    decoupled_weight_decay: bool = False,
) -> torch.optim.Adam:
    """Adam (Kingma and Ba, 2015, arXiv:1412.6980, algorithm 1); AMSGrad (Reddi et al., 2018, arXiv:1904.09237)."""
    return torch.optim.Adam(
        params,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        decoupled_weight_decay=decoupled_weight_decay,
        fused=fused(torch.optim.Adam, params),
    )


@register("optim", "adamw", into=Optimizer)
def adamw(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 1e-2,
    amsgrad: bool = False,
) -> torch.optim.AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019, arXiv:1711.05101); decays by lr·weight_decay."""
    return torch.optim.AdamW(
        params,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        fused=fused(torch.optim.AdamW, params),
    )


@register("optim", "adamax", into=Optimizer)
def adamax(
    params: ParamGroups,
    *,
    lr: Positive[float] = 2e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 0.0,
) -> torch.optim.Adamax:
    """AdaMax, Adam with the infinity norm (Kingma and Ba, 2015, arXiv:1412.6980, section 7.1)."""
    return torch.optim.Adamax(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@register("optim", "nadam", into=Optimizer)
def nadam(
    params: ParamGroups,
    *,
    lr: Positive[float] = 2e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 0.0,
    momentum_decay: NonNegative[float] = 4e-3,
    decoupled_weight_decay: bool = False,
) -> torch.optim.NAdam:
    """Adam with Nesterov's momentum (Dozat, 2016, "Incorporating Nesterov momentum into Adam")."""
    optimizer = torch.optim.NAdam(
        params,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
        decoupled_weight_decay=decoupled_weight_decay,
    )
    optimizer.register_load_state_dict_post_hook(restore_mu_product)
    return optimizer


@register("optim", "radam", into=Optimizer)
def radam(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-3,
    betas: tuple[Fraction[float], Fraction[float]] = (0.9, 0.999),
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 0.0,
    decoupled_weight_decay: bool = False,
) -> torch.optim.RAdam:
    """Rectified Adam, which warms up by itself (Liu et al., 2020, arXiv:1908.03265, algorithm 2)."""
    return torch.optim.RAdam(
        params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay
    )


@register("optim", "adagrad", into=Optimizer)
def adagrad(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-2,
    lr_decay: NonNegative[float] = 0.0,
    weight_decay: NonNegative[float] = 0.0,
    initial_accumulator_value: NonNegative[float] = 0.0,
    eps: NonNegative[float] = 1e-10,
) -> torch.optim.Adagrad:
    """Adagrad, diagonal form (Duchi, Hazan and Singer, 2011, JMLR 12, figure 1)."""
    return torch.optim.Adagrad(
        params,
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
        fused=fused(torch.optim.Adagrad, params),
    )


@register("optim", "adadelta", into=Optimizer)
def adadelta(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1.0,
    rho: Probability[float] = 0.9,
    eps: NonNegative[float] = 1e-6,
    weight_decay: NonNegative[float] = 0.0,
) -> torch.optim.Adadelta:
    """Adadelta (Zeiler, 2012, arXiv:1212.5701, algorithm 1), whose step is multiplied by `lr`; the paper has none."""
    return torch.optim.Adadelta(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)


@register("optim", "adafactor", into=Optimizer)
def adafactor(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[NonNegative[float] | None, NonNegative[float]] = (None, 1e-3),
    d: Positive[float] = 1.0,
    weight_decay: NonNegative[float] = 0.0,
) -> torch.optim.Adafactor:
    """Adafactor (Shazeer and Stern, 2018, arXiv:1804.04235, algorithms 4 and 5).

    `lr` is the largest relative step, min(lr, 1/√t), as in the paper's 0.01; `d` is the clipping threshold;
    `eps[0]` null is the dtype's machine epsilon, where the paper has 1e-30.
    """
    return torch.optim.Adafactor(params, lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay)


@register("optim", "rmsprop", into=Optimizer)
def rmsprop(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-2,
    alpha: Probability[float] = 0.99,
    eps: NonNegative[float] = 1e-8,
    weight_decay: NonNegative[float] = 0.0,
    momentum: Fraction[float] = 0.0,
    centered: bool = False,
    eps_inside_root: bool = False,
) -> torch.optim.RMSprop:
    """RMSprop (Tieleman and Hinton, 2012, Coursera lecture 6.5); centered as in Graves (2013, arXiv:1308.0850).

    Torch's form divides by √s + eps; `eps_inside_root` takes √(s + eps), as in Graves and most lectures, where
    the same eps has a much larger effect (dltool.optim.textbook).
    """
    variant = TextbookRMSprop if eps_inside_root else torch.optim.RMSprop
    return variant(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered)


@register("optim", "rprop", into=Optimizer)
@requires(
    lambda config: config.schedule.name == "constant" and config.schedule.warmup_steps == 0,
    "rprop reads the learning rate at its first step only, so a schedule or a warm-up has no effect",
    hint="schedule=constant schedule.warmup_steps=0",
)
@has_no_weight_decay
def rprop(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-2,
    etas: tuple[Fraction[float], Positive[float]] = (0.5, 1.2),
    step_sizes: tuple[Positive[float], Positive[float]] = (1e-6, 50.0),
) -> torch.optim.Rprop:
    """Rprop (Riedmiller and Braun, 1993), which uses the gradients' signs; made for `data.batch_size=full`.

    `lr` is the first step size of every weight, in `step_sizes`; each is then multiplied by one of `etas`.
    """
    return torch.optim.Rprop(params, lr=lr, etas=etas, step_sizes=step_sizes)


@register("optim", "asgd", into=Optimizer)
def asgd(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1e-2,
    lambd: NonNegative[float] = 1e-4,
    alpha: NonNegative[float] = 0.75,
    t0: NonNegative[float] = 1e6,
    weight_decay: NonNegative[float] = 0.0,
) -> torch.optim.ASGD:
    """Averaged SGD (Polyak and Juditsky, 1992), with a step size that decays as lr / (1 + lambd·lr·t)^alpha.

    As in torch the average, which begins at step `t0`, stays in the optimizer's state ("ax"): the evaluated
    weights are the last ones, not the averaged ones of the paper.
    """
    return torch.optim.ASGD(params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay)
