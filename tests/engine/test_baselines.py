"""The naive forecasts of a series, against a calculation by hand."""

import datetime as d
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.engine.baselines import measure_baselines

HOURS = 400


@pytest.fixture
def table(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A series with the period of a day; its values are random otherwise."""
    values = np.round(np.sin(np.arange(HOURS) * 2 * np.pi / 24) + np.random.default_rng(0).normal(size=HOURS), 3)
    lines = [f"{d.datetime(2020, 1, 1) + d.timedelta(hours=i)},{v},{i % 5}" for i, v in enumerate(values)]
    (tmp_path / "s.csv").write_text("\n".join(["date,v,w", *lines]), encoding="utf-8")
    return tmp_path / "s.csv", values


def by_hand(values: np.ndarray, back: Sequence[int], horizon: int) -> tuple[float, float]:
    """Mean absolute and root mean square error over the last fifth, of values some rows before the last input row."""
    first = HOURS - HOURS // 5
    errors = [
        values[end + step] - values[end - 1 - back[step]]
        for end in range(first, HOURS - horizon + 1)
        for step in range(horizon)
    ]
    return float(np.mean(np.abs(errors))), float(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.parametrize("scaling", ["standardize", "none"])
def test_metrics_are_those_of_the_last_value_and_of_the_season_before(
    table: tuple[Path, np.ndarray], configure: Callable[..., Config], scaling: str
) -> None:
    path, values = table
    settings = ["data.target=v", "data.horizon=3", "data.window=5", f"data.target_scaling={scaling}"]
    parts = prepare(configure("model=gru", "data=series", f"data.path={path}", *settings))
    found = measure_baselines(parts.task, parts.dataset, ["test"])
    for name, back in (("naive", [0, 0, 0]), ("seasonal naive", [23, 22, 21])):
        mae, rmse = by_hand(values, back, 3)
        assert found.values[name]["mae"] == pytest.approx(mae, rel=1e-5)
        assert found.values[name]["rmse"] == pytest.approx(rmse, rel=1e-5)
        factor = parts.spec.target_std[0] if parts.spec.target_std else 1
        assert found.values[name]["loss"] == pytest.approx(3 * (rmse / factor) ** 2, rel=0.05)  # Of three rows.
    assert found.descriptions["seasonal naive"] == "the value 24 steps before"
    assert found.beside("mae").startswith("naive ")


def test_a_target_that_is_no_input_has_its_last_value(
    table: tuple[Path, np.ndarray], configure: Callable[..., Config]
) -> None:
    path, values = table
    settings = ["data.target=v", "data.columns=w", "data.season=none", "data.horizon=1"]
    parts = prepare(configure("model=gru", "data=series", f"data.path={path}", *settings))
    found = measure_baselines(parts.task, parts.dataset, ["test"])
    assert found.values.keys() == {"naive"}
    assert found.values["naive"]["mae"] == pytest.approx(by_hand(values, [0], 1)[0], rel=1e-5)


def test_the_season_is_a_setting_and_longer_than_the_horizon_or_not(
    table: tuple[Path, np.ndarray], configure: Callable[..., Config]
) -> None:
    path, values = table
    settings = ["data.target=v", "data.season=2", "data.horizon=3"]
    parts = prepare(configure("model=gru", "data=series", f"data.path={path}", *settings))
    found = measure_baselines(parts.task, parts.dataset, ["test"])
    assert found.values["seasonal naive"]["mae"] == pytest.approx(by_hand(values, [1, 0, 1], 3)[0], rel=1e-5)


def test_a_season_before_a_gap_is_not_known(table: tuple[Path, np.ndarray], configure: Callable[..., Config]) -> None:
    path, _ = table
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:301], *lines[321:]]), encoding="utf-8")
    settings = ["data.target=v", "data.window=4", "data.target_scaling=none"]
    parts = prepare(configure("model=gru", "data=series", f"data.path={path}", *settings))
    naive, seasonal = parts.dataset.baselines("test")
    targets = torch.cat([batch.targets for batch in parts.dataset.evaluation("test")])
    assert len(naive.values) == len(seasonal.values) == len(targets)
    # The part after the gap begins with row 320; the first target whose season is in it is row 344.
    first = HOURS - len(targets)
    known = torch.arange(first, HOURS) >= 344
    assert torch.equal(naive.values[~known], seasonal.values[~known])
    assert not torch.equal(naive.values[known], seasonal.values[known])


def test_batches_that_are_left_out_are_left_out(
    table: tuple[Path, np.ndarray], configure: Callable[..., Config]
) -> None:
    path, _ = table
    few = ["trainer.limit_batches=1", "data.eval_batch_size=16"]
    parts = prepare(configure("model=gru", "data=series", f"data.path={path}", "data.target=v", *few))
    assert len(parts.dataset.baselines("test")[0].values) == 16
    assert measure_baselines(parts.task, parts.dataset, ["test"]).values.keys() == {"naive", "seasonal naive"}


def test_other_data_has_no_baselines(configure: Callable[..., Config]) -> None:
    parts = prepare(configure("model=linear", "data=diabetes"))
    assert not measure_baselines(parts.task, parts.dataset, ["test"]).values
    assert parts.dataset.forecast_example("test") is None
