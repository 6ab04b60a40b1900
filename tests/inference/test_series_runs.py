"""Runs of series: training, evaluation and prediction prepare the same inputs, and forecasts are named rows."""

import csv
import datetime as d
import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dltool.build.components import build_data
from dltool.core.errors import DataError
from dltool.data.fitted import Fitted, from_json
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder

DAYS = [(d.date(2020, 1, 1) + d.timedelta(days=i)).isoformat() for i in range(150)]
SHOPS = {"Aarau": 1e3, "Bern": 1.7e9}
ONE = ["model=gru", "model.hidden_dim=8", "data=series", "data.window=5", "trainer.threads=1", "trainer.steps=4"]


def moment(day: str) -> float:
    return (d.datetime.fromisoformat(day) - d.datetime(1970, 1, 1)) / d.timedelta(microseconds=1)


def lines(shops: dict[str, float], days: list[str] = DAYS) -> list[str]:
    rows = [(day, shop, v + math.sin(i)) for i, day in enumerate(days) for shop, v in shops.items()]
    return ["day,shop,sold,price", *(f"{day},{shop},{v!r},{len(day) + v % 3}" for day, shop, v in rows)]


@pytest.fixture
def trained(dltool_here: Callable[..., object], tmp_path: Path) -> Callable[..., Run]:
    """Trains on the series of two shops in s.csv."""
    (tmp_path / "s.csv").write_text("\n".join(lines(SHOPS)) + "\n", encoding="utf-8")

    def train(*settings: str) -> Run:
        dltool_here("train", *ONE, "data.path=s.csv", "run.dir=run", *settings)
        return Run(RunFolder(tmp_path / "run"))

    return train


def test_predicting_prepares_as_training_did(trained: Callable[..., Run], tmp_path: Path) -> None:
    """The window before the last day: of the training, of an evaluation, and read from a file that ends there."""
    run = trained("data.group=shop", "data.target=sold", "logger.plots=false")
    newest_first = [lines({})[0], *lines(SHOPS, DAYS[:-1])[:0:-1]]
    (tmp_path / "cut.csv").write_text("\n".join(newest_first), encoding="utf-8")
    names, inputs = next(run.preprocessing.read(tmp_path / "cut.csv", 8))
    shops, seen = [name.split()[0] for name in names], list[str]()
    assert sorted(shops) == sorted(SHOPS)
    for fitted in (None, Fitted(run.preprocessing, run.spec)):
        data = build_data(run.built, torch.device("cpu"), fitted=fitted)
        for name, window in zip(data.sample_names("test"), data.splits["test"].inputs, strict=True):  # type: ignore[attr-defined]
            if name.moment == moment(DAYS[-2]):  # type: ignore[attr-defined]
                assert torch.equal(window, inputs[shops.index(name.series)])  # type: ignore[attr-defined]
                seen.append(name.series)  # type: ignore[attr-defined]
    assert sorted(seen) == sorted([*SHOPS] * 2)


def test_predictions_of_an_evaluation_have_the_same_names(trained: Callable[..., Run], tmp_path: Path) -> None:
    run = trained("data.group=shop", "data.target=sold", "logger.plots=false")
    headings, rows = run.evaluate(predictions=True).table()
    assert headings == ["input", "shop", "day", "step", "sold", "sold_target"]
    last = {row[1]: row for row in rows if row[2] == DAYS[-1]}
    (tmp_path / "cut.csv").write_text("\n".join(lines(SHOPS, DAYS[:-1])), encoding="utf-8")
    for row in run.predict(tmp_path / "cut.csv").table()[1]:
        assert row[2:4] == [DAYS[-1], 1]
        assert row[4] == pytest.approx(last[row[1]][4], rel=1e-6)
        # In the loss's scale, where all series are together, targets are float32.
        assert last[row[1]][5] == pytest.approx(SHOPS[row[1]] + math.sin(149), abs=100)


def test_the_command_line_gives_the_same_names(
    trained: Callable[..., Run], dltool_here: Callable[..., "object"], tmp_path: Path
) -> None:
    trained("data.group=shop", "data.target=[sold,price]", "data.horizon=3")
    assert (tmp_path / "run" / "plots" / "forecast.png").stat().st_size > 10_000
    as_csv = dltool_here("predict", "run", "--input", "s.csv", "--csv").stdout  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    records = json.loads(dltool_here("predict", "run", "--input", "s.csv", "--json").stdout)["predictions"]  # type: ignore[attr-defined]
    assert [*rows[0]] == [*records[0]] == ["input", "shop", "day", "step", "sold", "price"]
    assert [(row["shop"], row["day"], row["step"]) for row in rows] == [
        (shop, day, step)
        for shop in SHOPS
        for day, step in (("2020-05-30", "1"), ("2020-05-31", "2"), ("2020-06-01", "3"))
    ]
    assert [float(row["sold"]) for row in rows] == pytest.approx([record["sold"] for record in records])
    table = dltool_here("predict", "run", "--input", "s.csv").stdout.splitlines()  # type: ignore[attr-defined]
    assert table[0].split() == ["shop", "day", "step", "sold", "price"]
    assert len(table) == 7
    assert max(map(len, table)) <= 80


def test_evaluate_compares_with_the_naive_forecasts(
    trained: Callable[..., Run], dltool_here: Callable[..., "object"], tmp_path: Path
) -> None:
    trained("data.group=shop", "data.target=sold", "logger.plots=false")
    said = dltool_here("evaluate", "run", "--plots", "plots").stdout  # type: ignore[attr-defined]
    assert "naive: the last value of the series; seasonal naive: the value 7 steps before" in said
    assert all("seasonal naive" in line for line in said.splitlines() if line.startswith(("loss", "mae", "rmse")))
    assert (tmp_path / "plots" / "forecast.png").exists()
    known = json.loads(dltool_here("evaluate", "run", "--json").stdout)  # type: ignore[attr-defined]
    assert known["baselines"]["naive"].keys() == {"loss", "mae", "rmse"}


def test_a_history_that_ends_with_a_gap_is_refused(trained: Callable[..., Run], tmp_path: Path) -> None:
    run = trained("data.group=shop", "data.target=sold", "logger.plots=false")
    gap = lines(SHOPS, DAYS[:50]) + lines(SHOPS, DAYS[60:63])[1:]
    (tmp_path / "gap.csv").write_text("\n".join(gap), encoding="utf-8")
    message = r"has 3 rows of the series Aarau after the gap before 2020-03-01, but the model takes 5 at a time"
    with pytest.raises(DataError, match=message):
        run.predict(tmp_path / "gap.csv")
    new = [*gap, *lines({"Chur": 7.0})[1:]]
    (tmp_path / "gap.csv").write_text("\n".join(new), encoding="utf-8")
    with pytest.warns(UserWarning, match="the series is left out; 1 more series are left out too"):
        found = run.predict(tmp_path / "gap.csv")
    assert [row[1] for row in found.table()[1]] == ["Chur"]
    (tmp_path / "gap.csv").write_text("\n".join(["shop,sold,price", "Bern,1,2"]), encoding="utf-8")
    with pytest.raises(DataError, match="has no column day"):
        run.predict(tmp_path / "gap.csv")


def test_other_columns_or_rows_to_forecast_are_refused(trained: Callable[..., Run], tmp_path: Path) -> None:
    run = trained("data.group=shop", "data.target=sold", "logger.plots=false")
    (tmp_path / "other.csv").write_text("\n".join(lines(SHOPS)), encoding="utf-8")
    with pytest.raises(DataError, match="the columns to forecast, price, are not those of the run, sold"):
        run.evaluate(["data.path=other.csv", "data.target=price"])
    with pytest.raises(DataError, match="has 2 numbers to predict for each sample, but the run was trained on 1"):
        run.evaluate(["data.path=other.csv", "data.horizon=2"])


def test_a_run_from_before_forecasts_had_names_predicts_as_before(trained: Callable[..., Run], tmp_path: Path) -> None:
    run = trained("data.group=shop", "data.columns=[sold,price]", "data.horizon=2", "logger.plots=false")
    saved = run.folder.read_preprocessing()
    del saved["preprocessing"]["forecast"]
    (tmp_path / "run" / "preprocessing.json").write_text(json.dumps(saved), encoding="utf-8")
    assert from_json(saved, "run").preprocessing.forecast is None
    found = Run(RunFolder(tmp_path / "run")).predict(tmp_path / "s.csv")
    assert found.table()[0] == ["input", "prediction_1", "prediction_2", "prediction_3", "prediction_4"]
    assert found.names == ["after row 301"]
