import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabricated import make_run
from PIL import Image

from dltool.core.language import in_language
from dltool.report.run_document import run_document
from dltool.runs.catalog import read_run


def document(path: Path) -> dict[str, Any]:
    with in_language("en"):
        return run_document(read_run(path))


def draw(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = make_run(
        tmp_path / "run",
        curve=[0.5, 0.25],
        metrics={"test/accuracy": 0.9},
        parameters=67,
        main_metric=["val/loss", "min"],
    )
    summary = {
        "sizes": {"train": 105, "val": 15},
        "unit": "samples",
        "loss": "cross_entropy",
        "data": [["classes", "3 classes"]],
        "baselines": {"test/accuracy": "accuracy 0.3333 by always predicting setosa"},
        "layers": {"columns": ["layer", "type", "output", "parameters"], "rows": [["layers.0", "Linear", "8", "40"]]},
    }
    (path / "summary.json").write_text(json.dumps(summary))
    (path / "log.txt").write_text("2026-12-02 12:00:00 warning: 3 rows are copies\n" * 2 + "2026-12-02 12:00:01 done\n")
    draw(path / "plots" / "confusion.png")
    draw(path / "plots" / "curves.png")
    return path


def test_says_what_was_trained_and_how_well(run: Path) -> None:
    found = document(run)
    assert found["title"] == "mlp on iris"
    assert found["intro"][0] == "The model mlp with 67 parameters was trained on iris (105 train, 15 val samples)."
    assert "loss cross_entropy" in found["intro"][1]
    assert found["intro"][2] == "20 steps, 2 epochs, 4 s on –. Stopped by epochs."
    assert found["results"][0] == {
        "name": "test/accuracy",
        "value": "0.9000",
        "beside": "accuracy 0.3333 by always predicting setosa",
    }
    assert found["messages"] == [{"kind": "warning", "text": "3 rows are copies"}]


def test_curves_are_data_and_other_pictures_are_named(run: Path) -> None:
    found = document(run)
    assert [one["title"] for one in found["charts"]] == ["loss", "lr"][: len(found["charts"])]
    assert found["charts"][0]["x"] == {"step": [10, 20], "epoch": [1, 2]}
    assert [one["id"] for one in found["sections"]] == ["predictions"]
    assert found["sections"][0]["pictures"][0]["file"] == "plots/confusion.png"


def test_the_config_says_where_each_value_is_from(run: Path) -> None:
    (run / "environment.json").write_text(
        json.dumps({"command": ["dltool", "train", "optim.lr=0.001", "data=iris"], "auto": {"seed": 0}})
    )
    (config,) = (one for one in document(run)["tables"] if one["id"] == "config")
    origins = {row[0]: row[2] for row in config["rows"]}
    assert origins["optim.lr"] == origins["data.name"] == "command line"
    assert origins["model.hidden"] == "config file"
    assert origins["seed"] == "auto: 0"
    assert origins["logger.every_n_steps"] == "default"


def test_a_failed_run_says_why_and_how_to_continue(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", state="failed", error="the loss is nan", stopped_by=None)
    found = document(path)
    assert found["intro"][-1].endswith("the loss is nan")
    assert f"dltool resume {path}" in [one["command"] for one in found["commands"]]


def test_a_running_run_is_being_trained(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", {"loss.name": "auto"}, state="running", parameters=67)
    summary = {"sizes": {"train": 105}, "unit": "samples", "loss": "cross_entropy"}
    (path / "summary.json").write_text(json.dumps(summary))
    record = dataclasses.replace(read_run(path), state="running")
    with in_language("en"):
        said = run_document(record)["intro"]
    assert said[0] == "The model mlp with 67 parameters is being trained on iris (105 train samples)."
    assert "loss cross_entropy" in said[1]
    assert said[2].endswith("drawn at the end of the training.")


def test_the_page_of_a_running_run_says_how_much_is_left(run: Path) -> None:
    record = dataclasses.replace(read_run(run), state="running", stopped_by=None, step=20, total_steps=50, seconds=4.0)
    assert run_document(record)["intro"][2].startswith("20 steps, 2 epochs, 4 s on –. Of 50 steps; about 6 s left.")


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_a_damaged_summary_is_as_none(run: Path, content: str) -> None:
    (run / "summary.json").write_text(content)
    assert document(run)["intro"][0] == "The model mlp was trained on iris."


def test_a_folder_without_status_is_described(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("seed: 0\n")
    found = document(tmp_path / "run")
    assert found["title"] == "run"
    assert found["state"] == "damaged"


def test_chinese(run: Path) -> None:
    with in_language("zh"):
        found = run_document(read_run(run))
    assert found["intro"][0] == "模型 mlp（67 个参数）在 iris 上训练（105 训练, 15 验证 个样本）。"
