import json
import math
from pathlib import Path
from typing import Any

from fabricated import CONFIG, make_run

from dltool.runs.catalog import RunRecord, read_run
from dltool.runs.comparison import (
    MISSING,
    as_json,
    differing,
    differing_environment,
    distinguishing_keys,
    labels,
    main_metrics,
)


def record(name: str, *metrics: str, **config: Any) -> RunRecord:
    changed = {key.replace("__", "."): value for key, value in config.items()}
    return RunRecord(Path(name), "finished", metrics=dict.fromkeys(metrics, 1.0), config=CONFIG | changed)


def test_differing_is_what_is_not_equal_everywhere() -> None:
    assert differing([{"a": 1, "b": [1]}, {"a": 1, "b": [2]}, {"a": 1}]) == {"b": [[1], [2], MISSING]}
    assert differing([{"a": None}, {}]) == {"a": [None, MISSING]}
    assert differing([]) == {}


def test_the_keys_that_tell_runs_apart() -> None:
    """The model first, the seed last; what follows from the model, and where a run lies, not at all."""
    lenet = {"model__name": "lenet", "model__filters": 6}
    runs = [
        record("a", seed=0, optim__lr=0.1, run__dir="x"),
        record("b", seed=1, optim__lr=0.1),
        record("c", seed=0, optim__lr=0.2),
        record("d", seed=0, optim__lr=0.1, **lenet),
    ]
    assert distinguishing_keys(runs) == ["model.name", "optim.lr", "seed"]
    assert labels(runs) == [
        "model=mlp optim.lr=0.1 seed=0",
        "model=mlp optim.lr=0.1 seed=1",
        "model=mlp optim.lr=0.2 seed=0",
        "model=lenet optim.lr=0.1 seed=0",
    ]


def test_equal_runs_are_told_apart_by_their_folders() -> None:
    assert labels([record("one"), record("two"), record("three", seed=1)]) == [
        "seed=0 one",
        "seed=0 two",
        "seed=1",
    ]
    assert labels([record("alone")]) == ["alone"]


def test_the_fewest_metrics_that_say_something_of_every_run() -> None:
    runs = [
        record("a", "train/loss", "train/lr", "val/loss", "val/accuracy", "test/loss", "test/accuracy"),
        record("b", "train/loss", "val/loss", "val/accuracy"),
        record("c", "train/loss"),
        record("d", "train/lr"),
        record("e"),
    ]
    assert main_metrics(runs, lambda run: run.metrics) == ["test/accuracy", "val/accuracy", "train/loss"]


def test_environments(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name) for name in "abc"]
    other = {"versions": {"torch": "2.10.0"}, "command": ["dltool", "resume"], "auto": {"trainer.threads": 2}}
    (runs[1] / "environment.json").write_text(json.dumps(other))
    records = [read_run(run) for run in runs]
    found = differing_environment(records)
    assert found == {"versions.torch": ["2.15.0", "2.10.0", "2.15.0"], "auto.trainer.threads": [1, 2, 1]}
    (runs[2] / "environment.json").write_text("{torn")
    assert differing_environment(records)["versions.torch"][2] is MISSING


def test_json_has_no_nan() -> None:
    assert json.loads(as_json({"a": [math.nan, -math.inf, 1.5, MISSING], "ü": None})) == {
        "a": [None, None, 1.5, None],
        "ü": None,
    }
    assert "ü" in as_json("ü")
