"""Directions are declared, by metrics and by tasks, and read without importing either."""

import importlib

import pytest

from dltool.core.errors import ConfigError
from dltool.declarations.registry import own_registrations
from dltool.declarations.source import component, source_module
from dltool.metrics.directions import class_directions, declared_direction

TASKS = sorted(own_registrations()["task"])


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("val/loss", "min"),
        ("train/penalty", "min"),
        ("val/accuracy", "max"),
        ("test/auroc", "max"),
        ("val/calibration_error", "min"),
        ("val/fid_inception", "min"),
        ("val/kid_lenet_sd", "min"),
        ("val/nearest_distance", "max"),
        ("val/copies", "min"),
        ("val/coverage", "max"),
        ("val/bleu", "max"),
        ("val/exact_match", "max"),
        ("val/perplexity", "min"),
        ("val/grey_nll_5000", "min"),
        ("val/spearman", "max"),
        ("val/cycle_l1_a", "min"),
        ("val/class_kept_A2B", "max"),
        ("val/attacked_accuracy", "max"),
        ("train/mistakes", "min"),
        ("val/confusion", None),
        ("val/d_real", None),
        ("val/my_error", None),
    ],
)
def test_what_is_declared(metric: str, direction: str | None) -> None:
    assert declared_direction(metric) == direction


@pytest.mark.parametrize("task", TASKS)
def test_a_task_says_the_same_whether_it_is_read_or_imported(task: str) -> None:
    declared = component("task", task)
    read = class_directions(source_module(declared.module), declared.attribute)
    owner = getattr(importlib.import_module(declared.module), declared.attribute)
    assert {name: owner.direction_of(name) for name in read} == read
    assert read["loss"] == "min"  # Of the base of all.
    metric, direction = owner.main_metric or ("loss", "min")
    assert (owner.direction_of(metric) or declared_direction(metric)) == direction


def test_tasks_and_metrics_agree() -> None:
    known: dict[str, str] = {}
    for task in TASKS:
        declared = component("task", task)
        for name, direction in class_directions(source_module(declared.module), declared.attribute).items():
            assert known.setdefault(name, direction) == direction, (task, name)
            assert declared_direction(name) == direction, (task, name)


def test_a_dict_that_is_not_written_out_is_named(tmp_path, monkeypatch) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from dltool.declarations.component import register\n"
        "from dltool.tasks.supervised import SupervisedTask\n"
        '@register("task", "mine", loss_for="data", like="supervised")\n'
        "class MineTask(SupervisedTask):\n"
        '    metric_directions = dict(score="max")\n'
    )
    from dltool.declarations.registry import trust_paths

    trust_paths([file])
    try:
        with pytest.raises(ConfigError, match=r"mine\.py, line 5: metric_directions must be a dict literal"):
            declared_direction("val/score")
        file.write_text(file.read_text().replace('dict(score="max")', '{"score": "max", "my_*": "min"}'))
        trust_paths([file])
        assert declared_direction("val/score") == "max"
        assert declared_direction("val/my_thing") == "min"
        assert declared_direction("val/attacked_loss") == "min"
    finally:
        trust_paths([])
