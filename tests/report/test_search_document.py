import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from fabricated import make_run

from dltool.core.errors import ConfigError
from dltool.core.language import in_language
from dltool.report.search_document import importance, search_document
from dltool.runs.catalog import is_search, read_run

ACCURACY = {"main_metric": ["val/accuracy", "max"]}


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two rates and two seeds each."""
    folder = tmp_path / "sweep"
    folder.mkdir()
    (folder / "sweep.json").write_text('{"command": ["dltool", "train", "-m", "optim.lr=0.1,0.01"], "jobs": []}')
    values = {(0.1, 1): 0.8, (0.1, 2): 0.9, (0.01, 1): 0.5, (0.01, 2): 0.5}
    for (rate, seed), value in values.items():
        config = {"optim.lr": rate, "seed": seed}
        metrics = {"val/accuracy": value}
        make_run(
            folder / f"lr={rate},seed={seed}", config, metrics=metrics, curve=[1.0, 0.5], parameters=67, **ACCURACY
        )
    return folder


def document(folder: Path) -> dict[str, Any]:
    with in_language("en"):
        return search_document(folder)


def test_settings_are_ranked_over_their_seeds(sweep: Path) -> None:
    found = document(sweep)
    (ranking,) = (one for one in found["tables"] if one["id"] == "ranking")
    spread = statistics.stdev([0.8, 0.9])
    assert ranking["rows"][0][:4] == ["optim.lr=0.1", f"0.8500 ± {spread:.4f}", "2", "67"]
    assert ranking["rows"][1][:2] == ["optim.lr=0.01", "0.5000 ± 0.0000"]
    assert found["intro"] == [
        "4 runs (4 finished) over optim.lr, ranked by val/accuracy, largest first.",
        f"The best is optim.lr=0.1: 0.8500 ± {spread:.4f}.",
    ]


def test_three_seeds_have_an_interval(sweep: Path) -> None:
    make_run(sweep / "lr=0.1,seed=3", {"optim.lr": 0.1, "seed": 3}, metrics={"val/accuracy": 1.0}, **ACCURACY)
    (ranking,) = (one for one in document(sweep)["tables"] if one["id"] == "ranking")
    assert [row[1] for row in ranking["rows"]] == ["0.9000 [0.6516, 1.1484]", "0.5000 ± 0.0000"]
    best, second = document(sweep)["results"][:2]
    assert (best["n"], best["interval"]) == (3, pytest.approx((0.65159, 1.14841), abs=1e-4))
    assert (second["n"], second["interval"]) == (2, None)
    form = "mean [95 % confidence interval by Student's t], of two runs mean ± standard deviation"
    assert ranking["note"] == f"val/accuracy: {form} over n repetitions (seeds, folds). Seconds are of one run."
    with in_language("zh"):
        (ranking,) = (one for one in search_document(sweep)["tables"] if one["id"] == "ranking")
    assert "95 % 置信区间" in ranking["note"]


def test_runs_are_points_over_the_swept_keys(sweep: Path) -> None:
    found = document(sweep)["points"]
    assert found["direction"] == "max"
    (axis,) = found["axes"]
    assert axis["name"] == "optim.lr"
    assert sorted(axis["values"]) == [0.01, 0.01, 0.1, 0.1]
    assert sorted(one["metric"] for one in found["runs"]) == [0.5, 0.5, 0.8, 0.9]


def test_a_sweep_that_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text("{}")
    assert is_search(tmp_path)
    with pytest.raises(ConfigError, match="has no run yet"):
        search_document(tmp_path)


def test_a_run_that_failed_is_named(sweep: Path) -> None:
    make_run(sweep / "lr=9,seed=1", {"optim.lr": 9.0}, state="failed", error="the loss is nan", metrics={})
    found = document(sweep)
    assert {"kind": "warning", "text": "lr=9,seed=1 failed: the loss is nan"} in found["messages"]
    (ranking,) = (one for one in found["tables"] if one["id"] == "ranking")
    assert ranking["rows"][-1][:2] == ["optim.lr=9", "–"] or ranking["rows"][-1][1] == "–"


def test_a_pruned_run_is_ranked_last(sweep: Path) -> None:
    config = {"optim.lr": 0.2, "seed": 1}
    make_run(sweep / "lr=0.2,seed=1", config, metrics={"val/accuracy": 0.99}, stopped_by="pruned", **ACCURACY)
    found = document(sweep)
    assert found["intro"][0].startswith("5 runs (4 finished, 1 pruned)")
    ranking, runs = (next(one for one in found["tables"] if one["id"] == name) for name in ("ranking", "runs"))
    assert ranking["rows"][-1][:3] == ["optim.lr=0.2", "–", "0"]
    assert [row[1] for row in runs["rows"]].count("pruned") == 1


def test_importance_is_the_correlation_ratio(tmp_path: Path) -> None:
    """The metric depends on a alone: its ratio is 1; b's groups have equal means, so that its ratio is 0."""
    runs = []
    for a in (1, 2):
        for b in ("x", "y"):
            path = make_run(tmp_path / f"{a}{b}", {"model.a": a, "model.b": b}, metrics={"val/m": float(a)})
            runs.append(read_run(path))
    found = importance(runs, ["model.a", "model.b"], "val/m")
    assert found == {"model.a": pytest.approx(1), "model.b": pytest.approx(0)}
    assert importance(runs[:3], ["model.a", "model.b"], "val/m") == {}


def test_values_with_other_definitions_are_not_ranked_together(tmp_path: Path) -> None:
    """Two losses: the accuracy ranks them, and without one each is ranked by itself."""
    (tmp_path / "sweep.json").write_text("{}")
    for name, value in (("cross_entropy", 0.9), ("mse", 0.1)):
        for rate in (0.1, 0.2):
            config = {"loss.name": name, "optim.lr": rate}
            metrics = {"val/loss": value + rate, "val/accuracy": value}
            make_run(tmp_path / f"{name}{rate}", config, metrics=metrics, main_metric=["val/loss", "min"])
    assert "ranked by val/accuracy" in document(tmp_path)["intro"][0]
    for path in tmp_path.glob("*/status.json"):
        path.write_text(path.read_text().replace("val/accuracy", f"val/own_{path.parent.name[:3]}"))
    found = document(tmp_path)
    assert "val/loss has different definitions" in found["messages"][0]["text"]
    assert found["results"] == []
    assert found["points"] is None
    (ranking,) = (one for one in found["tables"] if one["id"] == "ranking")
    assert [row[1] for row in ranking["rows"]] == ["1.0000", "1.1000", "0.2000", "0.3000"]


def test_a_key_that_differs_in_each_run_hides_no_other(tmp_path: Path) -> None:
    values = [(0.1, "relu"), (0.2, "tanh"), (0.3, "relu"), (0.4, "tanh")]
    for number, (rate, activation) in enumerate(values):
        config = {"optim.lr": rate, "model.activation": activation, "model.derived": rate}
        run = make_run(tmp_path / f"run{number}", config, metrics={"val/loss": rate})
        words = ["dltool", "tune", "optim.lr=interval(0.1,0.4)", "model.activation=relu,tanh"]
        (run / "environment.json").write_text(json.dumps({"command": words}))
    (tmp_path / "sweep.json").write_text("{}")
    found = search_document(tmp_path)
    assert [axis["name"] for axis in found["points"]["axes"]] == ["optim.lr", "model.activation"]
    ranking = next(one for one in found["tables"] if one["id"] == "ranking")
    assert ranking["rows"][0][0] == "optim.lr=0.1 model.activation=relu"
    assert any(one["id"] == "importance" for one in found["tables"])
