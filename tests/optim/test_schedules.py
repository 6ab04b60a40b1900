"""Each schedule equals torch's over a whole run, from a base learning rate that is not 1."""

import math
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from dltool.declarations.source import component, registrations
from dltool.optim.schedule import Schedule
from dltool.optim.schedules import (
    constant,
    cosine,
    cosine_restarts,
    exponential,
    multistep,
    one_cycle,
    polynomial,
    step,
    wsd,
)

LR = 0.3
TOTAL = 60


def optimizer(kind=torch.optim.SGD, **fields):
    made = kind([torch.zeros(1, requires_grad=True)], lr=LR, **fields)
    for group in made.param_groups:
        group["initial_lr"] = group["lr"]
    return made


def ours(schedule, made, total=TOTAL):
    groups = []
    for now in range(total):
        schedule.apply(made, now, 0, total, None)
        groups.append({key: value for key, value in made.param_groups[0].items() if key != "params"})
    return groups


def theirs(scheduler, total=TOTAL):
    groups = []
    for _ in range(total):
        groups.append({key: value for key, value in scheduler.optimizer.param_groups[0].items() if key != "params"})
        scheduler.optimizer.step()
        scheduler.step()
    return groups


def rates(groups):
    return [group["lr"] for group in groups]


@pytest.mark.parametrize(
    ("ours_at", "torch_schedule"),
    [
        (partial(constant), partial(lr_scheduler.ConstantLR, factor=1.0)),
        (partial(step, step_size=7, gamma=0.3), partial(lr_scheduler.StepLR, step_size=7, gamma=0.3)),
        (partial(step), partial(lr_scheduler.StepLR, step_size=15)),
        (
            partial(multistep, milestones=[40, 11], gamma=0.2),
            partial(lr_scheduler.MultiStepLR, milestones=[11, 40], gamma=0.2),
        ),
        (partial(multistep), partial(lr_scheduler.MultiStepLR, milestones=[30, 45])),
        (partial(exponential, gamma=0.9), partial(lr_scheduler.ExponentialLR, gamma=0.9)),
        (partial(polynomial), partial(lr_scheduler.PolynomialLR, total_iters=TOTAL)),
        (partial(polynomial, power=2.5), partial(lr_scheduler.PolynomialLR, total_iters=TOTAL, power=2.5)),
        (
            partial(polynomial, final=0.2),
            partial(lr_scheduler.LinearLR, start_factor=1.0, end_factor=0.2, total_iters=TOTAL),
        ),
        (partial(cosine), partial(lr_scheduler.CosineAnnealingLR, T_max=TOTAL)),
        (partial(cosine, final=0.1), partial(lr_scheduler.CosineAnnealingLR, T_max=TOTAL, eta_min=0.1 * LR)),
        (partial(cosine_restarts), partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=15)),
        (
            partial(cosine_restarts, period=4, multiply=2, final=0.1),
            partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=4, T_mult=2, eta_min=0.1 * LR),
        ),
    ],
    ids=lambda value: value.func.__name__,
)
def test_equals_torch(ours_at, torch_schedule):
    expected = rates(theirs(torch_schedule(optimizer())))
    assert rates(ours(Schedule(ours_at), optimizer())) == pytest.approx(expected, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("total", [7, 60])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cos", "linear"])
@pytest.mark.parametrize(("kind", "key"), [(torch.optim.SGD, "momentum"), (torch.optim.Adam, "betas")])
def test_one_cycle_equals_torch_with_the_momentum(kind, key, anneal, three_phase, total):
    scheduler = lr_scheduler.OneCycleLR(
        optimizer(kind), LR, total_steps=total + 1, anneal_strategy=anneal, three_phase=three_phase
    )
    schedule = Schedule(partial(one_cycle, anneal=anneal, three_phase=three_phase))
    expected = theirs(scheduler, total)
    made = optimizer(kind)
    found = []
    for now in range(total):
        schedule.apply(made, now, 0, total + 1, None)
        found.append(dict(made.param_groups[0]))
    assert rates(found) == pytest.approx(rates(expected), rel=1e-6)
    momenta = [[group[key][0] if key == "betas" else group[key] for group in run] for run in (found, expected)]
    assert momenta[0] == pytest.approx(momenta[1], rel=1e-6)
    if key == "betas":
        assert all(group["betas"][1] == 0.999 for group in found)


def test_one_cycle_reaches_its_ends_and_can_leave_the_momentum_alone():
    schedule = Schedule(partial(one_cycle, cycle_momentum=False))
    groups = ours(schedule, optimizer(momentum=0.5))
    assert groups[0]["lr"] == pytest.approx(LR / 25)
    assert max(rates(groups)) == pytest.approx(LR, rel=1e-2)
    assert groups[-1]["lr"] == pytest.approx(LR / 25 / 1e4)
    assert {group["momentum"] for group in groups} == {0.5}


def test_one_cycle_knows_which_optimizers_have_a_momentum(settings):
    (rule,) = component("schedule", "one_cycle").rules
    for name in registrations()["optim"]:
        has_momentum = not {"momentum", "betas"}.isdisjoint(component("optim", name).fields)
        config = settings(optim={"name": name}, schedule={"cycle_momentum": True})
        assert rule.condition(config) is has_momentum, name
        assert rule.condition(settings(optim={"name": name}, schedule={"cycle_momentum": False}))


@pytest.mark.parametrize("shape", ["linear", "cosine", "sqrt"])
def test_wsd_is_stable_then_decays(shape):
    factors = [wsd(t, 100, decay=0.2, shape=shape, final=0.1) for t in range(101)]
    assert factors[:81] == [1.0] * 81
    assert all(later < earlier for earlier, later in pairwise(factors[80:]))
    assert factors[-1] == pytest.approx(0.1)
    middle = {"linear": 0.5, "cosine": 0.5, "sqrt": 1 - math.sqrt(0.5)}[shape]
    assert factors[90] == pytest.approx(0.1 + 0.9 * middle)
    assert factors == [wsd(t, 100, decay=20, shape=shape, final=0.1) for t in range(101)]
