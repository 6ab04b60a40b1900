"""The schedules that are pure functions of time: the factor on the base learning rate at time t of `total`.

Time is in steps or epochs (`schedule.interval`) and begins after the warm-up. A length below 1 is a fraction
of the total, so that it keeps its place when the training is extended. See Schedule for what all share.
"""

import math
from itertools import pairwise
from typing import Literal

from dltool.declarations.component import Fraction, Positive, Probability, register, requires
from dltool.optim.schedule import Schedule, Setting


@register("schedule", "constant", into=Schedule)
def constant(t: float, total: float) -> float:
    """The base learning rate throughout."""
    return 1.0


@register("schedule", "step", into=Schedule)
def step(t: float, total: float, *, step_size: Positive[float] = 0.25, gamma: Positive[float] = 0.1) -> float:
    """Multiply by `gamma` after each `step_size`: gamma^⌊t / step_size⌋, torch's StepLR."""
    return gamma ** (t // units(step_size, total))


@register("schedule", "multistep", into=Schedule)
def multistep(
    t: float,
    total: float,
    *,
    milestones: list[Positive[float]] = [0.5, 0.75],  # noqa: B006, read only.
    gamma: Positive[float] = 0.1,
) -> float:
    """Multiply by `gamma` at each milestone, torch's MultiStepLR.

    The default is that of ResNet on CIFAR-10, after 32,000 and 48,000 of 64,000 steps (He et al., 2016,
    arXiv:1512.03385, section 4.2).
    """
    return gamma ** sum(t >= units(milestone, total) for milestone in milestones)


@register("schedule", "exponential", into=Schedule)
def exponential(t: float, total: float, *, gamma: Positive[float] = 0.999) -> float:
    """Multiply by `gamma` at every step, or every epoch: gamma^t, torch's ExponentialLR. Per epoch, 0.95 is usual."""
    return gamma**t


@register("schedule", "polynomial", into=Schedule)
def polynomial(t: float, total: float, *, power: Positive[float] = 1.0, final: Probability[float] = 0.0) -> float:
    """From 1 to `final` by (1 - t / total)^power; power 1 is a straight line. With `final` 0, torch's PolynomialLR."""
    return final + (1.0 - final) * (1.0 - t / total) ** power


@register("schedule", "cosine", into=Schedule)
def cosine(t: float, total: float, *, final: Probability[float] = 0.0) -> float:
    """From 1 to `final` by half a cosine (Loshchilov and Hutter, 2017, arXiv:1608.03983, equation 5, no restart)."""
    return half_cosine(1.0, final, t / total)


@register("schedule", "cosine_restarts", into=Schedule)
def cosine_restarts(
    t: float,
    total: float,
    *,
    period: Positive[float] = 0.25,
    multiply: Positive[int] = 1,
    final: Probability[float] = 0.0,
) -> float:
    """Half a cosine again and again, each `multiply` times longer (SGDR, arXiv:1608.03983, equation 5)."""
    cycle = units(period, total)
    if multiply == 1:
        return half_cosine(1.0, final, t % cycle / cycle)
    while t >= cycle:
        t -= cycle
        cycle *= multiply
    return half_cosine(1.0, final, t / cycle)


@register("schedule", "one_cycle", into=Schedule)
@requires(
    lambda config: (
        not config.schedule.cycle_momentum
        or config.optim.name in ("sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam", "sparse_adam", "muon")
    ),
    "schedule=one_cycle cycles the momentum, and the optimizer has neither momentum nor betas",
    hint="schedule.cycle_momentum=false",
)
def one_cycle(
    t: float,
    total: float,
    *,
    pct_start: Fraction[float] = 0.3,
    div_factor: Positive[float] = 25.0,
    final_div_factor: Positive[float] = 1e4,
    anneal: Literal["cos", "linear"] = "cos",
    three_phase: bool = False,
    cycle_momentum: bool = True,
    base_momentum: Fraction[float] = 0.85,
    max_momentum: Fraction[float] = 0.95,
) -> float | Setting:
    """One cycle up to the base learning rate `optim.lr` and down again (Smith and Topin, 2019, arXiv:1708.07120).

    Torch's OneCycleLR: from 1 / div_factor to 1 in the first `pct_start` of the time, then to
    1 / (div_factor·final_div_factor) at the last step; with `three_phase`, first back to 1 / div_factor in
    as many steps, as in the paper. The momentum, or Adam's first beta, moves in the opposite direction between
    `max_momentum` and `base_momentum`, and so replaces the optimizer's own.
    """
    low = Setting(1.0 / div_factor, max_momentum)
    high = Setting(1.0, base_momentum)
    end = Setting(low.factor / final_div_factor, max_momentum)
    peak, last = pct_start * total - 1, total - 1
    knots = [(0.0, low), (peak, high), *([(2 * peak, low)] if three_phase else []), (last, end)]
    time = min(t, last)
    (begin, start), (finish, goal) = next(pair for pair in pairwise(knots) if time <= pair[1][0])
    progress = (time - begin) / (finish - begin) if finish > begin else 1.0
    between = half_cosine if anneal == "cos" else straight_line
    factor = between(start.factor, goal.factor, progress)
    return Setting(factor, between(start.momentum, goal.momentum, progress)) if cycle_momentum else factor


@register("schedule", "wsd", into=Schedule)
def wsd(
    t: float,
    total: float,
    *,
    decay: Positive[float] = 0.2,
    shape: Literal["linear", "cosine", "sqrt"] = "linear",
    final: Probability[float] = 0.0,
) -> float:
    """Warm-up, stable, decay: constant, then from 1 to `final` over the last `decay` of the time.

    Hu et al. (2024, arXiv:2404.06395, section 4); the shape "sqrt" is 1 - √x of Hägele et al. (2024,
    arXiv:2405.18392, section 3), which performs better there than "linear". The warm-up is `schedule.warmup_steps`.
    """
    length = min(units(decay, total), total)
    progress = max(0.0, (t - (total - length)) / length)
    if shape == "cosine":
        return half_cosine(1.0, final, progress)
    return straight_line(1.0, final, math.sqrt(progress) if shape == "sqrt" else progress)


def units(length: float, total: float) -> float:
    """A length in units of time; one below 1 is that fraction of the total, rounded to whole units."""
    return max(1, round(length * total)) if length < 1 else length


def half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def straight_line(start: float, end: float, progress: float) -> float:
    return start + (end - start) * progress
