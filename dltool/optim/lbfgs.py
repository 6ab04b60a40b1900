"""L-BFGS, which evaluates the loss several times a step and so cannot be combined with everything."""

from typing import Literal

import torch

from dltool.declarations.component import NonNegative, Positive, register, requires
from dltool.optim.optimizer import Optimizer, ParamGroups, has_no_weight_decay, needs_unclipped_gradients


@register("optim", "lbfgs", into=Optimizer)
@requires(
    lambda config: config.task.loss_for != "gan",
    "lbfgs minimizes one fixed function, but in a GAN the other network and the noise change it",
    hint="optim=adam_gan",
)
@requires(
    lambda config: config.trainer.precision != "16-mixed",
    "lbfgs evaluates the loss several times a step, which the loss scaling of 16-mixed does not support",
    hint="trainer.precision=32",
)
@needs_unclipped_gradients  # Curvature is fitted to their differences.
@has_no_weight_decay
@requires(
    lambda config: not config.optim.lr_factors,
    "optim.lr_factors: lbfgs searches along one line in the space of all parameters, with one learning rate",
    hint="optim.lr_factors=null, or optim=adam",
)
def lbfgs(
    params: ParamGroups,
    *,
    lr: Positive[float] = 1.0,
    max_iter: Positive[int] = 20,
    max_eval: Positive[int] | None = None,
    tolerance_grad: NonNegative[float] = 1e-7,
    tolerance_change: NonNegative[float] = 1e-9,
    history_size: Positive[int] = 100,
    line_search_fn: Literal["strong_wolfe"] | None = None,
) -> torch.optim.LBFGS:
    """Limited-memory BFGS (Liu and Nocedal, 1989, Mathematical Programming 45, algorithm 2.1).

    One step is up to `max_iter` iterations and `max_eval` (null: 1.25 max_iter) evaluations of the loss on
    the same batch, through a closure; micro-batches are summed inside it, so trainer.accumulate is allowed.
    Designed for a deterministic loss: `data.batch_size=full`, no dropout.
    """
    return torch.optim.LBFGS(
        params,
        lr=lr,
        max_iter=max_iter,
        max_eval=max_eval,
        tolerance_grad=tolerance_grad,
        tolerance_change=tolerance_change,
        history_size=history_size,
        line_search_fn=line_search_fn,
    )
