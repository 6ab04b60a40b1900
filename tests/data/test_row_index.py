"""A first column that numbers the rows is not an input."""

from pathlib import Path

import pytest
import torch

from dltool.data.csv_table import csv_table
from dltool.data.series import series

RNG = torch.Generator()


@pytest.fixture
def load(tmp_path: Path):
    def load(name: str, cells, **fields):
        path = tmp_path / "t.csv"
        lines = [f"{cell},{place * 37 % 11}.5,{place % 7}.25" for place, cell in enumerate(cells)]
        path.write_text(f"{name},x,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return csv_table(RNG, path=str(path), target="y", kind="numbers", **fields)

    return load


@pytest.mark.parametrize("name", ["index", "id", "ID", "PassengerId", "row_id", "Unnamed: 0", "No.", "", "编号"])
@pytest.mark.parametrize("cells", [range(30), range(1, 31), range(29, -1, -1)])
def test_an_index_is_left_out_and_said(load, name: str, cells) -> None:
    raw = load(name, cells)
    assert [column.name for column in raw.columns] == ["x"]
    assert "data.index=false makes it one" in raw.notes[1]
    assert [column.name for column in load(name, cells, index=False).columns] == [name or "column_1", "x"]


@pytest.mark.parametrize(
    ("name", "cells"), [("id", range(2, 32)), ("t", range(30)), ("grid", [0] * 30), ("", [0, 1] * 15)]
)
def test_other_columns_stay(load, name: str, cells) -> None:
    raw = load(name, cells)
    assert [column.name for column in raw.columns] == [name or "column_1", "x"]
    assert raw.choices["data.index"] is False
    assert any("leaves it out" in note for note in raw.notes) == (name in ("id", "t", ""))
    assert [column.name for column in load(name, cells, index=True).columns] == ["x"]


def test_an_unnamed_column_of_row_names(load) -> None:
    assert [column.name for column in load("", [f"car {i}" for i in range(30)]).columns] == ["x"]


def test_a_column_that_is_named_in_the_config_or_alone_is_an_input(load, tmp_path: Path) -> None:
    assert len(load("id", range(15), categories=["id"]).columns) == 2
    assert [column.name for column in load("id", range(30), drop=["x"]).columns] == ["id"]


def test_an_index_of_a_series_is_not_forecast(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(",x,y\n" + "".join(f"{i},{i % 5}.5,{i % 7}.5\n" for i in range(60)), encoding="utf-8")
    raw = series(RNG, path=str(path), window=4)
    assert raw.feature_names == ("x", "y")
    assert "data.index=false makes it one" in raw.notes[1]
    assert series(RNG, path=str(path), window=4, index=False).feature_names == ("column_1", "x", "y")
    assert series(RNG, path=str(path), window=4, columns=[1, "x"]).feature_names == ("column_1", "x")
