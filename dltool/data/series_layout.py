"""How the samples of a series lie in its rows, and what can be forecast from the rows without a model."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dltool.data.moments import TimeFormat, as_datetimes
from dltool.data.notation import Notation
from dltool.data.time_step import Step
from dltool.data.timeline import Timeline


class WindowName(str):
    """The name of a window of rows, and where it ends: its series, and the moment of its last row.

    Attributes:
        file: The file, where predictions are from several files; else empty.
        series: The name of its series; empty without groups.
        moment: See dltool.data.moments; None without times.
    """

    __slots__ = ("file", "moment", "series")

    file: str
    series: str
    moment: float | None

    def __new__(cls, text: str, series: str = "", moment: float | None = None, file: str = "") -> "WindowName":
        name = super().__new__(cls, text)
        name.file, name.series, name.moment = file, series, moment
        return name


@dataclass(frozen=True)
class TimeAxis:
    """The time of a series, as a run saves it, with which forecasts get their times.

    Attributes:
        name: The name of the column.
        format: How it writes times.
        step: The time from one row to the next; None where it is unknown.
        split_gaps: Whether no window spans another step.
        columns: The columns whose cells are joined to the time, such as date and time of day; empty for one column.
    """

    name: str
    format: TimeFormat
    step: Step | None
    split_gaps: bool = True
    columns: tuple[str, ...] = ()

    def after(self, moment: float, count: int) -> str:
        """The time that is `count` steps later, as the column writes it; empty where the step is unknown."""
        return "" if self.step is None else self.format.write(self.step.after(moment, count))


@dataclass(frozen=True)
class ForecastLayout:
    """What the numbers of a forecast are.

    Attributes:
        targets: The names of K columns.
        horizon: H, the number of rows that are forecast; the outputs are `(B, H * K)`, row by row.
        time: The time of the rows; None without.
        group: The name of the column that names the series; empty without.
    """

    targets: tuple[str, ...]
    horizon: int
    time: TimeAxis | None = None
    group: str = ""

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "ForecastLayout":
        """The inverse of dataclasses.asdict."""
        time = saved["time"]
        if time is not None:
            step = None if time["step"] is None else Step(**time["step"])
            columns, form = tuple(time["columns"]), TimeFormat(**time["format"])
            time = TimeAxis(time["name"], form, step, time["split_gaps"], columns)
        return cls(tuple(saved["targets"]), saved["horizon"], time, saved["group"])


class Baseline(NamedTuple):
    """Forecasts without a model.

    Attributes:
        name: "naive" or "seasonal naive".
        description: What is forecast, such as "the value 24 steps before".
        values: `(N, target_dim)`, as the model predicts them.
    """

    name: str
    description: str
    values: Tensor


class ForecastExample(NamedTuple):
    """Samples of one series whose forecasts follow each other, for a figure.

    Attributes:
        inputs: `(F, T, D)`, as the model takes them.
        times: The time of each row: dates, or numbers.
        values: The columns to forecast, float64 `(R, K)`: the inputs' rows of the first sample, and all that follow.
        starts: The first row that each sample forecasts, in `values`.
        columns: The names of the columns.
        series: The name of the series; empty without groups.
        unit: The name of the column of times, or "row".
    """

    inputs: Tensor
    times: Sequence[datetime.datetime | float]
    values: np.ndarray
    starts: Sequence[int]
    columns: Sequence[str]
    series: str
    unit: str


@dataclass(frozen=True)
class SeriesLayout:
    """The rows of one or several series, and the samples that are cut from them.

    Attributes:
        timeline: The R rows in their order.
        rows: The number of each row in its file, int64 `(R,)`.
        history: The columns to forecast, float64 `(R, K)`.
        ends: The first row that each sample forecasts, int64 `(N,)`.
        forecast: What is forecast.
        season: Steps in a season; None without.
        notations: How the file writes the numbers of an input column, if not as Python does.
    """

    timeline: Timeline
    rows: Tensor
    history: Tensor
    ends: Tensor
    forecast: ForecastLayout
    season: int | None = None
    notations: Mapping[str, Notation] = field(default_factory=dict)

    @cached_property
    def clocks(self) -> Tensor:
        """The clock of each sample, int64 `(N,)`; see Timeline.clock."""
        return torch.from_numpy(self.timeline.clock()[0])[self.ends]

    @cached_property
    def spans(self) -> Tensor:
        """The first and last time step of each target on its clock, int64 `(N, 2)`."""
        positions = torch.from_numpy(self.timeline.clock()[1])
        return torch.stack([positions[self.ends], positions[self.ends + self.forecast.horizon - 1]], dim=1)

    @cached_property
    def _index(self) -> Tensor:
        """The position of each row by its number in the file, int64."""
        index = torch.zeros(int(self.rows.max()) + 1, dtype=torch.int64)
        index[self.rows] = torch.arange(len(self.rows))
        return index

    def last_inputs(self, rows: Tensor) -> Tensor:
        """The position of the last input row of samples, by its number in the file, int64 `(N,)`."""
        return self._index[rows]

    def names(self, rows: Tensor) -> list[str]:
        """The name of each sample, by the number of its last input row in the file."""
        line, last = self.timeline, self.last_inputs(rows).tolist()
        moments = None if line.time is None else line.time.moments
        return [
            WindowName(str(row), line.names[line.series[at]], None if moments is None else moments[at])
            for row, at in zip(rows.tolist(), last, strict=True)
        ]

    def naive(self, last: Tensor) -> Tensor:
        """The last value of each column for all steps, float64 `(N, horizon * K)`."""
        return self.history[last].repeat(1, self.forecast.horizon)

    def seasonal(self, last: Tensor) -> Tensor | None:
        """The values one season before each step, float64 `(N, horizon * K)`; None without a season.

        Where the series begins later, or was interrupted since, they are the last values. None if that is so for more
        than half of the samples.
        """
        if self.season is None:
            return None
        steps = torch.arange(1, self.forecast.horizon + 1)
        back = steps - self.season * ((steps + self.season - 1) // self.season)  # From the last row, <= 0.
        places = last[:, None] + back
        known = places >= torch.from_numpy(self.timeline.part_starts)[last][:, None]
        if known.all(1).sum() * 2 < len(last):
            return None
        return self.history[torch.where(known, places, last[:, None])].flatten(1)

    def example_samples(self, rows: Tensor, window: int) -> list[int]:
        """The samples for a figure among those of a split, by the number of their last input row in the file.

        They are the last ones of a series, at most as many rows as a window in all, none with rows of another's
        forecast, and all in one part.
        """
        last = self.last_inputs(rows).tolist()
        series, part, horizon = self.timeline.series, self.timeline.part_starts, self.forecast.horizon
        chosen = [max(i for i, at in enumerate(last) if series[at] == series[last[0]])]
        for i in range(chosen[0] - 1, -1, -1):
            if part[last[i]] != part[last[chosen[0]]] or len(chosen) * horizon >= window:
                break
            if last[chosen[-1]] - last[i] >= horizon:
                chosen.append(i)
        return chosen[::-1]

    def example(self, rows: Tensor, inputs: Tensor) -> ForecastExample:
        """The samples with these last input rows, and the rows around them."""
        line, horizon = self.timeline, self.forecast.horizon
        ends = (self.last_inputs(rows) + 1).tolist()
        first, last = ends[0] - inputs.shape[1], ends[-1] + horizon
        times: list[Any] = self.rows[first:last].tolist()
        if line.time is not None:
            times = list(as_datetimes(line.time.format, line.time.moments[first:last].tolist()))
        return ForecastExample(
            inputs,
            times,
            self.history[first:last].numpy(),
            [end - first for end in ends],
            self.forecast.targets,
            line.names[line.series[ends[0]]],
            "row" if line.time is None else line.time.name,
        )
