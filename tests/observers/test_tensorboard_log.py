"""Event files, read back with TensorBoard's own reader."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.config.settings import LoggerSettings
from dltool.figures.image_grid import image_grid
from dltool.observers.tracker import make_trackers
from dltool.runs.folder import RunFolder

pytest.importorskip("tensorboard")
from dltool.observers.tensorboard_log import TensorboardLog

CONFIG = {"seed": 3, "model": {"name": "mlp", "hidden": [8, 4]}, "optim": {"lr": 0.1}, "run": {"dir": None}}


def make(run: RunFolder) -> TensorboardLog:
    (log,) = make_trackers(["tensorboard", "tensorboard"], run, pytest.fail, CONFIG, LoggerSettings())
    assert isinstance(log, TensorboardLog)
    return log


def read(run: RunFolder) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    return events


def points(run: RunFolder) -> set[tuple[str, int, float]]:
    """Every point, a duplicate as an error."""
    events = read(run)
    found = [(tag, e.step, e.value) for tag in events.Tags()["scalars"] for e in events.Scalars(tag)]
    assert len(set(found)) == len(found)
    return set(found)


def expected(records: list[dict[str, Any]]) -> set[tuple[str, int, float]]:
    import numpy as np

    return {(k, r["step"], float(np.float32(v))) for r in records for k, v in r.items() if "/" in k}


def test_scalars(run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]) -> None:
    follow(make(run), records)
    assert points(run) == expected(records)


def test_resumed_equals_uninterrupted(
    run: RunFolder, stop_and_go_on: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    stop_and_go_on(lambda: make(run))
    assert points(run) == expected(records)
    assert len(list((run.path / "tensorboard").iterdir())) == 1


def test_points_keep_the_time_of_their_first_logging(
    run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    follow(make(run), records)
    before = {(e.step, e.wall_time) for e in read(run).Scalars("train/loss")}
    (path,) = (run.path / "tensorboard").iterdir()
    path.write_bytes(path.read_bytes()[:-7])  # As a kill -9 leaves it.
    follow(make(run), [])
    assert {(e.step, e.wall_time) for e in read(run).Scalars("train/loss")} == before


def test_a_logger_that_is_added_on_resume_gets_the_history(
    run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    from dltool.observers.jsonl import JsonlLog

    for record in records[:3]:
        JsonlLog(run.metrics).on_record(record)
    follow(make(run), records[3:])
    assert points(run) == expected(records)


def test_not_finite(run: RunFolder, follow: Callable[..., None]) -> None:
    follow(make(run), [{"step": 1, "epoch": 0, "split": "val", "val/loss": math.nan}])
    assert math.isnan(read(run).Scalars("val/loss")[0].value)


def test_hyperparameters_and_the_last_metrics(
    run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    from tensorboard.plugins.hparams.metadata import (
        EXPERIMENT_TAG,
        SESSION_START_INFO_TAG,
        parse_experiment_plugin_data,
        parse_session_start_info_plugin_data,
    )

    follow(make(run), records)
    contents = read(run).PluginTagToContent("hparams")
    given = parse_session_start_info_plugin_data(contents[SESSION_START_INFO_TAG]).hparams
    assert given["optim.lr"].number_value == 0.1
    assert given["model.hidden"].string_value == "[8, 4]"
    assert given["run.dir"].string_value == "null"
    metrics = {info.name.tag for info in parse_experiment_plugin_data(contents[EXPERIMENT_TAG]).metric_infos}
    assert {"val/accuracy", "test/accuracy", "train/loss"} <= metrics
    assert "step/loss" not in metrics


def test_pictures(run: RunFolder, follow: Callable[..., None], records: list[dict[str, Any]]) -> None:
    import numpy as np

    for name in ("plots/curves.png", "samples/epoch-0001.png", "samples/epoch-0002.png"):
        path = Path(run.path / name)
        path.parent.mkdir(exist_ok=True)
        image_grid(np.random.default_rng(0).random((4, 1, 8, 8)), None).save(path)
    follow(make(run), records)
    events = read(run)
    (curves,) = events.Images("plots/curves")
    assert curves.step == 8
    assert curves.encoded_image_string == (run.path / "plots" / "curves.png").read_bytes()
    assert [image.step for image in events.Images("samples")] == [1, 2]
    assert curves.width > 100
