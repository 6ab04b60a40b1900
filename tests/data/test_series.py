"""A series in time: its windows, its splits and its scaling."""

import json

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.fitted import Fitted, from_json, to_json
from dltool.data.series import series
from dltool.data.series_data import SeriesData

RNG = torch.Generator()
ROWS = 100


@pytest.fixture
def path(tmp_path):
    """Row r of the series, from 0, is r and 1000 - 2r, in row r + 2 of the file."""
    lines = [f"day {row},{row},{1000 - 2 * row}" for row in range(ROWS)]
    (tmp_path / "series.csv").write_text("\n".join(["day,up,down", *lines]), encoding="utf-8")
    return tmp_path / "series.csv"


def prepared(path, fitted=None, cut=True, scaling="auto", **settings):
    data = SeriesData(lambda rng: series(rng, path=str(path), **settings), scaling=scaling)
    data.prepare(0, torch.device("cpu"), fitted=fitted, cut=cut)
    return data


@pytest.mark.parametrize("stride", [1, 3])
def test_targets_follow_their_window(path, stride):
    raw = series(RNG, path=str(path), target=["down"], window=5, horizon=2, stride=stride)
    assert raw.feature_names == ("up", "down")
    assert len(raw.train) == (ROWS - 7) // stride + 1
    for number in (0, 4, len(raw.train) - 1):
        start = number * stride
        assert raw.train.inputs[number, :, 0].tolist() == [start + step for step in range(5)]
        assert raw.train.targets[number].tolist() == [1000 - 2 * (start + step) for step in (5, 6)]
        assert raw.train.rows[number] == start + 4 + 2  # Where its last row stands in the file.


def test_no_split_sees_the_time_of_a_later_one(path):
    data = prepared(path, scaling="none", target_scaling="none", window=4, horizon=3, target=["up"])
    seen = {name: (split.inputs[..., 0], split.targets) for name, split in data.splits.items()}
    times = {name: targets.int().unique().tolist() for name, (_, targets) in seen.items()}
    assert times["train"] == list(range(4, 70))
    assert times["val"] == list(range(70, 80))
    assert times["test"] == list(range(80, 100))
    for name, border in (("train", 70), ("val", 80), ("test", 100)):
        assert seen[name][0].max() < border


def test_scaled_by_the_training_split_alone(path):
    data = prepared(path, window=4, target=["up"])
    train, test = data.splits["train"], data.splits["test"]
    assert train.inputs.flatten(0, 1).mean(0) == pytest.approx([0, 0], abs=1e-5)
    assert train.inputs.flatten(0, 1).std(0, correction=0) == pytest.approx([1, 1], rel=1e-5)
    assert test.inputs[..., 0].min() > 1
    assert train.targets.mean() == pytest.approx(0, abs=1e-5)
    assert data.spec.in_units(test.targets)[:, 0].tolist() == pytest.approx(list(range(80, 100)), rel=1e-5)


def test_large_numbers_are_scaled_before_they_are_rounded(tmp_path):
    """Around 1.7e9 float32's numbers are 128 apart; the series moves by 1."""
    rows = [1_700_000_000 + row % 7 for row in range(ROWS)]
    (tmp_path / "s.csv").write_text("\n".join(["x", *map(str, rows)]), encoding="utf-8")
    data = prepared(tmp_path / "s.csv", window=4, horizon=2)
    train = data.splits["train"]
    assert train.inputs.dtype == train.targets.dtype == torch.float32
    assert len(train.inputs.unique()) == 7
    assert data.spec.in_units(train.targets).round().tolist()[0] == rows[4:6]
    _, inputs = next(data.preprocessing.read(tmp_path / "s.csv", 8))
    assert set(inputs.flatten().tolist()) <= set(train.inputs.flatten().tolist())
    windows = torch.tensor([rows[:4]], dtype=torch.float64)[..., None]
    assert torch.equal(data.preprocessing(windows)[0], train.inputs[0])


def test_a_run_prepares_other_files_as_its_own(path):
    data = prepared(path, window=4)
    saved = json.loads(json.dumps(to_json(data.preprocessing, data.spec)))
    fitted = from_json(saved, "run")
    assert fitted == Fitted(data.preprocessing, data.spec)
    again = prepared(path, fitted, cut=False, window=4)
    assert torch.equal(again.splits["train"].inputs[-20:], data.splits["test"].inputs)
    names, inputs = next(fitted.preprocessing.read(path, 8))
    assert names == ["after row 101"]
    raw = torch.tensor([[row, 1000 - 2 * row] for row in range(ROWS - 4, ROWS)])
    assert torch.equal(inputs, data.preprocessing(raw[None]))


def test_what_a_run_cannot_take_is_refused(path, tmp_path):
    data = prepared(path, window=4)
    fitted = Fitted(data.preprocessing, data.spec)
    with pytest.raises(DataError, match=r"data.window=5, but the run was trained on 4"):
        prepared(path, fitted, cut=False, window=5)
    with pytest.raises(DataError, match="its columns down, up are not those of the run, up, down"):
        prepared(path, fitted, cut=False, window=4, columns=["down", "up"])
    (tmp_path / "few.csv").write_text("up,down\n1,2\n2,3\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"few\.csv has 2 rows, but the model takes 4 at a time"):
        next(data.preprocessing.read(tmp_path / "few.csv", 8))


@pytest.mark.parametrize(
    ("cell", "message"),
    [("", "row 51, column up: the cell is missing"), ("n/b", "row 51, column up: 'n/b' is not a number")],
)
def test_cells_that_are_no_numbers_are_named(path, cell, message):
    path.write_text(path.read_text(encoding="utf-8").replace("day 49,49,", f"day 49,{cell},"), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        series(RNG, path=str(path))
    assert len(series(RNG, path=str(path), columns=["down"]).train) == ROWS - 24  # The column is not needed.


def test_too_few_rows_and_too_small_a_share_say_how_many(path):
    with pytest.raises(DataError, match=r"has 100 rows, but data.window=98 and data.horizon=3 need 101"):
        series(RNG, path=str(path), window=98, horizon=3)
    with pytest.raises(DataError, match="leave no training sample"):
        prepared(path, window=90)
    with pytest.raises(DataError, match=r"data.val_fraction=0.1 of 100 rows contains no complete sample"):
        prepared(path, window=5, horizon=11)
    data = SeriesData(lambda rng: series(rng, path=str(path)), num_folds=5)
    with pytest.raises(DataError, match="is split in time"):
        data.prepare(0, torch.device("cpu"))
