"""Warm-up, epochs, a training made longer, and that every schedule is a function of time alone."""

import importlib
from functools import partial

import pytest
import torch
from torch.optim import lr_scheduler

from dltool.core.errors import ConfigError
from dltool.declarations.source import component, registrations
from dltool.optim.schedule import Schedule
from dltool.optim.schedules import constant, cosine, multistep, one_cycle

PURE = sorted(name for name in registrations()["schedule"] if component("schedule", name).shared_class)


@pytest.fixture
def optimizer():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.2, 0.4)]
    made = torch.optim.SGD(groups, momentum=0.9)
    for group in made.param_groups:
        group["initial_lr"] = group["lr"]
    return made


def rates(schedule, optimizer, total):
    found = []
    for step in range(total):
        schedule.apply(optimizer, step, 0, total, None)
        found.append([group["lr"] for group in optimizer.param_groups])
    return found


def test_warm_up_in_front_equals_sequential_lr_of_torch(optimizer):
    found = rates(Schedule(partial(cosine), warmup_steps=8, warmup_start=0.1), optimizer, 40)
    warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=8)
    main = lr_scheduler.CosineAnnealingLR(optimizer, T_max=32)
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * 0.1
    scheduler = lr_scheduler.SequentialLR(optimizer, [warmup, main], milestones=[8])
    for now in found:
        assert now == pytest.approx([group["lr"] for group in optimizer.param_groups], rel=1e-6)
        optimizer.step()
        scheduler.step()


def test_warm_up_leads_to_where_the_schedule_begins(optimizer):
    schedule = Schedule(partial(one_cycle), warmup_steps=4)
    found = [first for first, _ in rates(schedule, optimizer, 40)]
    assert found[:5] == pytest.approx([0.2 / 25 * k / 4 for k in range(5)])


def test_a_warm_up_longer_than_the_training_stays_a_warm_up(optimizer):
    found = [first for first, _ in rates(Schedule(partial(cosine), warmup_steps=100), optimizer, 50)]
    assert found == pytest.approx([0.2 * k / 100 for k in range(50)])


def test_per_epoch_the_factor_changes_between_epochs_alone(optimizer):
    schedule = Schedule(partial(multistep, milestones=[1, 3]), interval="epoch")
    found = []
    for step in range(40):
        schedule.apply(optimizer, step, step // 10, 40, 4)
        found.append(optimizer.param_groups[0]["lr"])
    assert found == pytest.approx([0.2] * 10 + [0.02] * 20 + [0.002] * 10)


def test_per_epoch_after_a_warm_up_counts_from_the_next_whole_epoch():
    schedule = Schedule(partial(multistep, milestones=[1]), interval="epoch", warmup_steps=12)
    factors = [schedule.at(step, step // 10, 50, 5) for step in range(50)]
    assert factors == pytest.approx([step / 12 for step in range(12)] + [1.0] * 18 + [0.1] * 20)


def test_per_epoch_without_epochs_is_an_error(optimizer):
    with pytest.raises(ConfigError, match="needs a training whose length is given in epochs"):
        Schedule(partial(constant), interval="epoch").apply(optimizer, 0, 0, 10, None)


@pytest.mark.parametrize("interval", ["step", "epoch"])
@pytest.mark.parametrize("name", PURE)
def test_each_is_a_function_of_time(name, interval):
    declared = component("schedule", name)
    function = getattr(importlib.import_module(declared.module), declared.attribute)
    schedule = Schedule(partial(function), interval=interval, warmup_steps=5)
    forward = [schedule.at(step, step // 10, 60, 6) for step in range(61)]
    fresh = Schedule(partial(function), interval=interval, warmup_steps=5)
    assert [fresh.at(step, step // 10, 60, 6) for step in reversed(range(61))] == forward[::-1]
    assert schedule.state_dict() == {}
    factors = [value if isinstance(value, float) else value.factor for value in forward]
    assert all(0.0 <= factor <= 1.0 + 1e-12 for factor in factors)


def test_a_longer_training_follows_the_schedule_of_its_new_length():
    schedule = Schedule(partial(cosine))
    assert schedule.at(50, 0, 100, None) == pytest.approx(0.5)
    assert schedule.at(50, 0, 200, None) == pytest.approx(cosine(50, 200))


@pytest.mark.parametrize("name", PURE)
def test_the_shortest_training_has_a_learning_rate(name):
    declared = component("schedule", name)
    function = getattr(importlib.import_module(declared.module), declared.attribute)
    for total in (1, 2, 3):
        for step in range(total):
            value = Schedule(partial(function)).at(step, 0, total, None)
            assert 0.0 <= (value if isinstance(value, float) else value.factor) <= 1.0
