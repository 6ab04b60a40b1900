"""Forecasts as rows with names, steps and times: for programs, for a screen, beside the truth."""

import numpy as np
import torch

from dltool.core.spec import DataSpec
from dltool.data.moments import readings
from dltool.data.series_layout import ForecastLayout, TimeAxis, WindowName
from dltool.data.time_step import find_step
from dltool.tasks.forecasts import Forecasts
from dltool.tasks.predictions import Prediction


class Printed:
    """A screen that keeps what is printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tables: list[list[list[str]]] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def table(self, headings: object, rows: object, numbers: object = ()) -> None:
        self.tables.append([list(headings), *map(list, rows)])  # type: ignore[call-overload]

    def pairs(self, above: object, below: object) -> None:
        raise NotImplementedError


def layout(targets: tuple[str, ...] = ("a", "b"), horizon: int = 2, group: str = "shop") -> ForecastLayout:
    form, moments = readings(["2020-01-31", "2020-02-29", "2020-03-31"])[0]
    return ForecastLayout(targets, horizon, TimeAxis("month", form, find_step(form, [moments])), group)


def moment(date: str) -> float:
    return float(np.datetime64(date, "us").astype(np.int64))


NAMES = [
    WindowName("x after row 4", "x", moment("2020-03-31")),
    WindowName("y after row 8", "y", moment("2021-01-31")),
]
OUTPUTS = torch.arange(8.0, dtype=torch.float64).view(2, 4)


def test_rows_have_the_same_names_everywhere() -> None:
    found = Forecasts.of(list(NAMES), [Prediction(OUTPUTS[:1]), Prediction(OUTPUTS[1:])], layout())
    headings, rows = found.table()
    assert headings == ["input", "shop", "month", "step", "a", "b"]
    assert rows == [
        ["x after row 4", "x", "2020-04-30", 1, 0.0, 1.0],
        ["x after row 4", "x", "2020-05-31", 2, 2.0, 3.0],
        ["y after row 8", "y", "2021-02-28", 1, 4.0, 5.0],
        ["y after row 8", "y", "2021-03-31", 2, 6.0, 7.0],
    ]
    assert found.records() == [dict(zip(headings, row, strict=True)) for row in rows]
    assert found.values == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    screen = Printed()
    found.show(screen, 3)
    assert screen.tables[0][:2] == [["shop", "month", "step", "a", "b"], ["x", "2020-04-30", "1", "0", "1"]]


def test_the_truth_stands_beside_each_column() -> None:
    found = Forecasts.of(list(NAMES), [Prediction(OUTPUTS)], layout())
    spec = DataSpec((4, 2), "numbers", target_dim=4, target_mean=(10.0,) * 4, target_std=(2.0,) * 4)
    headings, rows = found.table(found.truth([torch.zeros(1, 4), torch.ones(1, 4)], spec))
    assert headings == ["input", "shop", "month", "step", "a", "b", "a_target", "b_target"]
    assert [row[6:] for row in rows] == [[10, 10], [10, 10], [12, 12], [12, 12]]


def test_one_number_is_no_list() -> None:
    one = ForecastLayout(("a",), 1)
    found = Forecasts.of(["0", "1"], [Prediction(torch.tensor([[1.5], [2.5]]))], one)
    assert found.values == [1.5, 2.5]
    assert found.table()[0] == ["input", "step", "a"]
    assert Forecasts.of(["0"], [Prediction(torch.ones(1, 3))], ForecastLayout(("a",), 3)).values == [[1, 1, 1]]
    assert Forecasts.of(["0"], [Prediction(torch.ones(1, 3))], ForecastLayout(("a", "b", "c"), 1)).values == [[1, 1, 1]]


def test_many_columns_are_printed_within_eighty() -> None:
    names = tuple(f"temperature_{i}" for i in range(9))
    found = Forecasts.of(NAMES[:1], [Prediction(torch.rand(1, 18))], layout(names))
    screen = Printed()
    found.show(screen, 3)
    assert screen.lines == ["x after row 4"]
    assert len(screen.tables) > 1
    assert [name for table in screen.tables for name in table[0][3:]] == list(names)
    for table in screen.tables:
        assert table[0][:3] == ["shop", "month", "step"]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80
