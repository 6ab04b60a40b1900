"""Plateau equals ReduceLROnPlateau, finds its metric, and continues from its state."""

import json
import random

import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.optim.plateau import Plateau

LOSS = ("loss", "min")


def series(mode):
    """A metric that improves for a while, stalls, improves a little and is NaN once."""
    noise = random.Random(0)
    values = [1.0 / (1 + 0.3 * min(k, 12)) + 0.002 * noise.random() for k in range(60)]
    values[20] = float("nan")
    return values if mode == "min" else [1.0 - value for value in values]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "fields",
    [
        {"factor": 0.5, "patience": 2},
        {"factor": 0.3, "patience": 0, "cooldown": 3},
        {"factor": 0.5, "patience": 3, "threshold": 0.05, "threshold_mode": "abs"},
        {"factor": 0.5, "patience": 1, "threshold": 0.05, "min_factor": 0.1},
    ],
)
def test_equals_torch(fields, mode):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    least = {"min_lr": 0.2 * fields["min_factor"]} if "min_factor" in fields else {}
    options = {key: value for key, value in fields.items() if key != "min_factor"}
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, **options, **least, eps=0.0)
    ours = Plateau(**fields)
    reductions = 0
    for step, value in enumerate(series(mode)):
        before = ours.product
        ours.observe({"val/score": value}, ("score", mode))
        theirs.step(value)
        reductions += ours.product < before
        assert 0.2 * ours.at(step, 0, 60, 60) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
    assert reductions >= 1


def test_continues_from_its_state_through_json():
    whole, first = Plateau(patience=1, factor=0.5, cooldown=1), Plateau(patience=1, factor=0.5, cooldown=1)
    values = series("min")
    for value in values[:25]:
        first.observe({"loss": value}, LOSS)
    second = Plateau(patience=1, factor=0.5, cooldown=1)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for value in values[25:]:
        second.observe({"loss": value}, LOSS)
    for value in values:
        whole.observe({"loss": value}, LOSS)
    assert second.state_dict() == whole.state_dict()
    json.dumps(Plateau().state_dict(), allow_nan=False)  # Also before the first evaluation.


def test_applies_its_factor_after_a_warm_up():
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)], "initial_lr": 0.2}], lr=0.2)
    schedule = Plateau(patience=0, warmup_steps=4)
    schedule.apply(optimizer, 2, 0, 10, None)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)
    for _ in range(2):
        schedule.observe({"loss": 1.0}, LOSS)
    schedule.apply(optimizer, 5, 1, 10, None)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("metric", "mode", "main", "expected"),
    [
        (None, "auto", ("accuracy", "max"), ("accuracy", "max")),
        (None, "min", ("accuracy", "max"), ("accuracy", "min")),
        ("val/r2", "auto", ("r2", "max"), ("val/r2", "max")),
        ("val/loss", "auto", ("accuracy", "max"), ("val/loss", "min")),
        ("val/mae", "auto", ("accuracy", "max"), ("val/mae", "min")),
        ("val/accuracy", "auto", ("loss", "min"), ("val/accuracy", "max")),
        ("val/fid", "min", None, ("val/fid", "min")),
    ],
)
def test_metric_and_direction(metric, mode, main, expected):
    assert Plateau(metric=metric, mode=mode).monitored(main) == expected


def test_a_direction_that_nothing_declares_is_to_be_named():
    with pytest.raises(ConfigError, match=r"schedule\.metric=val/mean_absolute_error: neither the metric") as error:
        Plateau(metric="val/mean_absolute_error").monitored(("accuracy", "max"))
    assert error.value.hint == "schedule.mode=min, or schedule.mode=max"


def test_a_worse_negative_value_is_no_improvement():
    schedule = Plateau(patience=0, threshold=0.1)
    schedule.observe({"loss": -1.0}, LOSS)
    schedule.observe({"loss": -0.95}, LOSS)
    assert schedule.product == pytest.approx(0.1)


def test_unknown_metric_and_none_at_all():
    with pytest.raises(ConfigError, match=r"schedule\.metric=val/acuracy: the evaluation has only val/loss"):
        Plateau(metric="val/acuracy").observe({"val/loss": 1.0}, LOSS)
    with pytest.raises(ConfigError, match="the task has no main one"):
        Plateau().observe({"val/loss": 1.0}, None)
