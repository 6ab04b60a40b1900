"""The page of an experiment: its record, the runs that were made from it, its config."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabricated import make_run

from dltool.cli.reproduce import note_other_data
from dltool.config.check import check
from dltool.config.compose import compose
from dltool.config.tree import leaves
from dltool.core.language import in_language
from dltool.core.numerals import mean_and_spread
from dltool.declarations.options import option_files
from dltool.report.page import page
from dltool.report.words import CHINESE
from dltool.search.experiment_config import experiment_config
from dltool.search.experiment_document import changes, experiment_document
from dltool.search.experiment_header import read_header

EXPERIMENT = """\
# @package _global_
# Iris with a small perceptron,
# in no time.
#   command    dltool train experiment=small trainer.threads=1
#              dltool evaluate RUN --split val
#   recipe     the first one
#              that was tried
record:
  metrics:
    test/accuracy: {reference: 0.9, source: a paper, measured: [0.8, 0.9]}
  seeds: [0, 1]
  seconds: 2.5
  machine: this one
defaults:
  - override /data: iris
  - override /model: mlp
  - _self_
trainer:
  epochs: 3
"""


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment" / "small.yaml").write_text(EXPERIMENT)
    return folder


def run_with(configs: Path, path: Path, accuracy: float, *overrides: str, **status: Any) -> Path:
    config = dict(leaves(check(compose(["experiment=small", *overrides], [configs])).tree))
    made = make_run(path, config, metrics={"test/accuracy": accuracy}, curve=[1.0, 0.5], **status)
    whole = json.loads((made / "status.json").read_text())
    whole["config"] = config  # Without what a fabricated run has besides.
    (made / "status.json").write_text(json.dumps(whole))
    return made


def document(configs: Path, root: Path) -> dict[str, Any]:
    with in_language("en"):
        return experiment_document("small", root, root, [configs])


def named(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["tables"] if one["id"] == name)


def test_a_header_has_a_summary_commands_and_notes(configs: Path) -> None:
    header = read_header(configs / "experiment" / "small.yaml")
    assert header.summary == "Iris with a small perceptron, in no time."
    assert header.commands == (
        "dltool train experiment=small trainer.threads=1",
        "dltool evaluate RUN --split val",
    )
    assert header.notes == {"recipe": "the first one that was tried"}


@pytest.mark.parametrize("name", list(option_files("experiment")))
def test_every_experiment_has_a_page(name: str, tmp_path: Path) -> None:
    header = read_header(option_files("experiment")[name])
    assert header.summary
    assert header.commands[0].startswith(f"dltool train experiment={name}")
    with in_language("en"):
        found = experiment_document(name, tmp_path, tmp_path)
        assert found["state"] == "not run"
        assert found["charts"] == []
        assert f"<h1>experiment {name}</h1>" in page(found, tmp_path)


def test_runs_with_its_settings_are_compared_with_the_record(configs: Path, tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    run_with(configs, root / "a", 0.85, "seed=0", "trainer.threads=1")
    run_with(configs, root / "b", 0.87, "seed=5")
    found = document(configs, root)
    assert found["state"] == "reproduced"
    (row,) = named(found, "comparison")["rows"]
    assert row[:5] == [
        "test/accuracy", "0.9000", mean_and_spread([0.8, 0.9]), mean_and_spread([0.85, 0.87]), "2",
    ]  # fmt: skip
    assert float(row[5]) == pytest.approx(3 * statistics.stdev([0.8, 0.9]), abs=1e-3)
    assert row[6:] == ["as recorded", "a paper"]
    assert [series["label"] for series in found["charts"][0]["series"]] == ["seed=0", "seed=5"]
    assert named(found, "runs")["links"] == ["a", "b"]


def test_a_deviation_is_said(configs: Path, tmp_path: Path) -> None:
    run_with(configs, tmp_path / "outputs" / "a", 0.2)
    found = document(configs, tmp_path / "outputs")
    assert found["state"] == "deviating"
    assert named(found, "comparison")["rows"][0][6] == "OUTSIDE"


def test_runs_with_other_settings_are_apart(configs: Path, tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    for seed, accuracy in ((0, 0.5), (1, 0.7)):
        run = run_with(configs, root / f"rate{seed}", accuracy, "optim.lr=0.1", f"seed={seed}")
        (run / "environment.json").write_text(json.dumps({"command": ["dltool", "train", "experiment=small"]}))
    run_with(configs, root / "unrelated", 0.1, "optim.lr=0.1", "model.hidden=[3]")
    run_with(configs, root / "failed", 0.1, state="failed", error="the loss is nan")
    found = document(configs, root)
    assert found["state"] == "not run"
    assert named(found, "changed")["rows"] == [["optim.lr=0.1", "2", mean_and_spread([0.5, 0.7])]]
    assert [row[:3] for row in named(found, "runs")["rows"]] == [
        ["failed", "failed", "seed=0"],
        ["rate0", "finished", "seed=0 optim.lr=0.1"],
        ["rate1", "finished", "seed=1 optim.lr=0.1"],
    ]


def test_other_data_is_a_warning(configs: Path, tmp_path: Path) -> None:
    path = configs / "experiment" / "small.yaml"
    path.write_text(EXPERIMENT.replace("  seeds:", "  data: abcd\n  seeds:"))
    run = run_with(configs, tmp_path / "outputs" / "a", 0.85)
    (run / "data.json").write_text(json.dumps({"digest": "1234", "generator": None}))
    (message,) = document(configs, tmp_path / "outputs")["messages"]
    assert "1234" in message["text"]


def test_the_seed_and_the_machine_are_no_changes() -> None:
    config = {"seed": 0, "trainer.threads": "auto", "run.dir": None, "optim.lr": 0.1, "new.key": 1}
    other = {"seed": 3, "trainer.threads": 2, "run.dir": "x", "optim.lr": 0.2, "old.key": 1}
    assert changes(config, other) == {"optim.lr": 0.2}


def test_the_texts_are_translated(configs: Path, tmp_path: Path) -> None:
    run_with(configs, tmp_path / "outputs" / "a", 0.85)
    found = document(configs, tmp_path / "outputs")
    texts = [found["state"], *(one["title"] for one in found["tables"]), *(one["title"] for one in found["commands"])]
    assert [text for text in texts if text not in CHINESE] == []
    with in_language("zh"):
        assert experiment_document("small", tmp_path, tmp_path, [configs])["title"] == "实验 small"


def test_the_command_line_takes_its_name(configs: Path, tmp_path: Path, dltool_here: Callable[..., Any]) -> None:
    done = dltool_here("report", "small", "--config-dir", str(configs), "--lang", "en")
    assert (done.returncode, done.stdout) == (0, "outputs/small.html\n"), done.stderr
    assert "<h1>experiment small</h1>" in Path("outputs/small.html").read_text(encoding="utf-8")
    run_with(configs, Path("outputs/small"), 0.8)
    done = dltool_here("report", "small", "--config-dir", str(configs), "--lang", "en")
    assert done.stdout == "outputs/small/report.html\n"
    named = dltool_here("report", "experiment=small", "--config-dir", str(configs), "--json")
    assert json.loads(named.stdout)["kind"] == "experiment"
    assert json.loads(named.stdout)["tables"][-2]["links"] == ["small"]


@pytest.mark.parametrize("word", ["experiment=gan_gausians", "experiment="])
def test_an_unknown_experiment_is_an_error(word: str, dltool_here: Callable[..., Any]) -> None:
    done = dltool_here("report", word)
    assert done.returncode == 2
    assert "there is no experiment" in done.stderr


@pytest.mark.parametrize("name", list(option_files("experiment")))
def test_a_reproduction_compares_its_data_with_the_experiment(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    header = read_header(option_files("experiment")[name])
    config = experiment_config(name, header)
    assert config is not None
    note_other_data(name, dict(leaves(config.tree)), [])
    assert capsys.readouterr().err == ""
    note_other_data(name, dict(leaves(config.tree)) | {"data.name": "other"}, [])
    assert "data.name is other" in capsys.readouterr().err
