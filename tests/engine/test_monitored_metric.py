"""The direction of a metric that a setting names."""

from typing import ClassVar

import pytest
from torch import nn

from dltool.core.errors import ConfigError
from dltool.engine.monitored_metric import monitored_metric
from dltool.tasks.task import Task


class ScoringTask(Task):
    main_metric = ("score", "max")
    metric_directions: ClassVar[dict[str, str]] = {"regret_*": "min"}


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        (None, "auto", ("val/score", "max")),
        (None, "min", ("val/score", "min")),
        ("val/score", "auto", ("val/score", "max")),
        ("val/regret_3", "auto", ("val/regret_3", "min")),
        ("train/loss", "auto", ("train/loss", "min")),  # Of the base of all tasks.
        ("val/accuracy", "auto", ("val/accuracy", "max")),  # Registered.
        ("val/fd_lenet", "auto", ("val/fd_lenet", "min")),
        ("val/unheard_of", "max", ("val/unheard_of", "max")),
    ],
)
def test_what_is_declared_or_named(name: str | None, mode: str, expected: tuple[str, str]) -> None:
    assert monitored_metric(name, mode, ScoringTask(nn.Linear(1, 1))) == expected


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("stop.metric", "stop.mode=min, or stop.mode=max"),
        ("tune.metric", "tune.mode=min, or tune.mode=max"),
        ("trainer.checkpoint.metric", "trainer.checkpoint.mode=min, or trainer.checkpoint.mode=max"),
    ],
)
def test_a_direction_that_nothing_declares_is_to_be_named(key: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}=val/my_error: neither the metric nor the task declares") as refused:
        monitored_metric("val/my_error", "auto", ScoringTask(nn.Linear(1, 1)), key)
    assert refused.value.hint == hint
