"""Forecasts of a model: for each window the next rows of some columns, with their steps and times.

They have the interface dltool.tasks.predictions.AnyPredictions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.data.series_layout import ForecastLayout, WindowName
from dltool.tasks.predictions import Prediction, Screen, in_short

WIDTH = 80  # Columns of a screen; more columns to forecast are printed in several tables.
GAP = 2
TRUTH = "{}_target"  # The heading of a column's true values.


@dataclass(frozen=True)
class Forecasts:
    """The next rows after N windows.

    Attributes:
        names: The name of each window, such as "after row 101".
        outputs: `(N, horizon, K)` in the data's units, float64 where they are standardized.
        layout: What is forecast.
    """

    names: list[str]
    outputs: Tensor
    layout: ForecastLayout

    @classmethod
    def of(cls, names: list[str], parts: Sequence[Prediction], layout: ForecastLayout) -> "Forecasts":
        """Join the forecasts of all batches."""
        outputs = torch.cat([part.outputs.cpu() for part in parts])
        return cls(names, outputs.unflatten(1, (layout.horizon, len(layout.targets))), layout)

    def truth(self, targets: Sequence[Tensor], spec: DataSpec) -> list[Any]:
        """The true rows after each window, from the model's targets, in the form of `values`."""
        return in_form(spec.in_units(torch.cat(list(targets))).view(self.outputs.shape))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> list[Any]:
        """The forecast for each window: a number; or a list, of rows if there are several columns."""
        return in_form(self.outputs)

    @property
    def headings(self) -> list[str]:
        """The headings of `table` without true values: input, group, time, step, the columns that are forecast."""
        group = [self.layout.group] if self.layout.group else []
        time = [self.layout.time.name] if self.layout.time is not None else []
        return ["input", *group, *time, "step", *self.layout.targets]

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each row that is forecast, with the headings of `table` as keys."""
        headings, rows = self.table()
        return [dict(zip(headings, row, strict=True)) for row in rows]

    def table(self, targets: Sequence[Any] | None = None) -> tuple[list[str], list[list[Any]]]:
        """Headings and a row for each row that is forecast, with the true values where they are known."""
        known = (
            None if targets is None else torch.tensor(targets, dtype=torch.float64).view(self.outputs.shape).tolist()
        )
        rows = []
        for i, (name, forecast) in enumerate(zip(self.names, self.outputs.tolist(), strict=True)):
            for step, values in enumerate(forecast):
                truth = [] if known is None else known[i][step]
                rows.append([str(name), *self._place(name, step + 1), step + 1, *values, *truth])
        truths = [] if known is None else [TRUTH.format(target) for target in self.layout.targets]
        return [*self.headings, *truths], rows

    def show(self, screen: Screen, count: int) -> None:
        """Print the rows that are forecast; in several tables where the columns need more than a screen's width."""
        del count  # One number for each.
        headings, rows = self.table()
        kept = [*range(headings.index("step") + 1)]
        if len(self.names) > 1 and self.layout.group and len({file_of(name) for name in self.names}) == 1:
            kept = kept[1:]  # The group says which window it is.
        if len(self.names) == 1:
            screen.line(self.names[0])
            kept = kept[1:]
        cells = [[in_short(cell) for cell in row] for row in rows]
        widths = [max(len(heading), *(len(row[i]) for row in cells)) + GAP for i, heading in enumerate(headings)]
        for columns in fitting(widths, kept, range(kept[-1] + 1, len(headings))):
            shown = [*kept, *columns]
            numbers = range(len(kept) - 1, len(shown))
            screen.table([headings[i] for i in shown], [[row[i] for i in shown] for row in cells], [*numbers])

    def _place(self, name: str, step: int) -> list[str]:
        """The series and the time of a row that is forecast, where they are known."""
        series, moment = (name.series, name.moment) if isinstance(name, WindowName) else ("", None)
        place = [series] if self.layout.group else []
        if self.layout.time is None:
            return place
        return [*place, "" if moment is None else self.layout.time.after(moment, step)]


def file_of(name: str) -> str:
    return name.file if isinstance(name, WindowName) else ""


def in_form(rows: Tensor) -> list[Any]:
    """Rows `(N, horizon, K)` without the dimensions that have one element."""
    horizon, columns = rows.shape[1:]
    if columns == 1:
        rows = rows[:, :, 0]
    elif horizon == 1:
        rows = rows[:, 0]
    found: list[Any] = (rows[:, 0] if horizon == columns == 1 else rows).tolist()
    return found


def fitting(widths: Sequence[int], kept: Sequence[int], columns: Sequence[int]) -> list[list[int]]:
    """The columns in groups that fit a screen beside those that each table has, at least one in each."""
    room = WIDTH + GAP - sum(widths[i] for i in kept)
    groups: list[list[int]] = [[]]
    for column in columns:
        if groups[-1] and sum(widths[i] for i in [*groups[-1], column]) > room:
            groups.append([])
        groups[-1].append(column)
    return groups
