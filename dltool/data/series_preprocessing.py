"""The preprocessing from rows of a series to model inputs: fitted on the training split, saved with the run."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.notices import DltoolWarning
from dltool.data.cells import parse_numbers, too_large
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.notation import Notation, apply
from dltool.data.preprocessing import Preprocessing, example_generator
from dltool.data.raw_front import RawFront
from dltool.data.raw_inputs import Named, Raw, as_paths, refuse_frame
from dltool.data.series_layout import ForecastLayout, WindowName
from dltool.data.table_columns import find, place
from dltool.data.time_column import check_distinct, read_times, with_joined
from dltool.data.timeline import Timeline, in_order, make_timeline, series_of


@dataclass(frozen=True)
class SeriesPreprocessing(Preprocessing):
    """Scales windows of a series, column by column.

    Attributes:
        columns: In the order of the inputs, D of them.
        window: T, the number of input rows.
        shift, factor: Of each column's `(number - shift) * factor`.
        header: Whether the training file named its columns; else another file is read by position.
        notations: How the training file writes the numbers of a column, where that is not as Python does.
        forecast: What the model forecasts; None for runs of versions that did not save it.
    """

    columns: tuple[str, ...]
    window: int
    shift: tuple[float, ...]
    factor: tuple[float, ...]
    header: bool = True
    notations: Mapping[str, Notation] = field(default_factory=dict)
    forecast: ForecastLayout | None = None

    def __call__(self, windows: Tensor) -> Tensor:
        """Scale windows `(B, T, D)` in float64; returns float32."""
        exact = windows.double()
        return ((exact - exact.new_tensor(self.shift)) * exact.new_tensor(self.factor)).float()

    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """The last rows of each series of each CSV file, or windows in memory, `(B, T, D)` or `(T, D)`.

        The D columns are in the order of `columns`.
        """
        del batch_size  # All at once: a window is small.
        paths = as_paths(inputs)
        refuse_frame(inputs, f"frame[{list(self.columns)}].to_numpy()")
        yield self._windows(inputs) if paths is None else self._last_windows(paths)

    def _last_windows(self, paths: Sequence[Path]) -> Named:
        found = [self.last_windows(path) for path in paths]
        names: list[str] = [name for some, _ in found for name in some]
        if len(paths) > 1:
            files = [str(path) for path, (some, _) in zip(paths, found, strict=True) for _ in some]
            names = [in_file(name, file) for name, file in zip(names, files, strict=True)]
        return names, torch.cat([windows for _, windows in found])

    def _windows(self, inputs: Any) -> Named:
        windows = torch.as_tensor(np.asarray(inputs, dtype=np.float64))
        windows = windows[None] if windows.ndim == 2 else windows
        expected = (self.window, len(self.columns))
        if windows.ndim != 3 or tuple(windows.shape[1:]) != expected:
            raise DataError(f"the windows have the shape {tuple(windows.shape)}, not (B, {expected[0]}, {expected[1]})")
        return [str(place) for place in range(len(windows))], self(windows)

    def describe(self) -> str:
        return f"windows of {self.window} rows, each column as (number - shift) * factor"

    def example_inputs(self, count: int) -> Tensor:
        return torch.randn(count, self.window, len(self.columns), generator=example_generator(count))

    def raw_front(self) -> RawFront:
        raise ConfigError(
            "the scaling of a series is not exported", "without --with-preprocessing; preprocessing.json has it"
        )

    def last_windows(self, path: Path) -> tuple[list[WindowName], Tensor]:
        """The last rows of each series of a CSV file, from which the rows after its end are forecast.

        Returns:
            The windows' names, and the windows as model inputs, `(B, T, D)`.

        Raises:
            DataError: A column is missing, a cell is not a number or not a time, or there are too few rows.
        """
        special = [*self._time_name, *self._group_name]
        header: Literal["auto"] | bool = "auto" if self.header else False
        table = apply(read_csv(path, header=header, expected=[*self.columns, *special]), self.notations)
        indices = [find(name, table.names, table.origin) for name in self.columns]
        if self.forecast is not None and self.forecast.time is not None and (parts := self.forecast.time.columns):
            table = with_joined(table, [table.names[find(name, table.names, table.origin)] for name in parts])
        timeline = self._timeline(table)
        table = in_order(table, timeline.order)
        last_parts = {int(timeline.series[first]): (first, last) for first, last in timeline.parts}
        short = [number for number, (first, last) in last_parts.items() if last - first < self.window]
        if short:
            self._report_short(table, timeline, last_parts, short)
        names, windows = [], []
        for number, (_, last) in last_parts.items():
            if number not in short:
                name = timeline.names[number]
                moment = None if timeline.time is None else timeline.time.moments[last - 1].item()
                text = f"{name} after row {table.rows[last - 1]}".lstrip()
                names.append(WindowName(text, name, moment))
                windows.append(torch.from_numpy(read_numbers(table, indices, last - self.window, last)))
        return names, self(torch.stack(windows))

    @property
    def _time_name(self) -> list[str]:
        if self.forecast is None or (time := self.forecast.time) is None:
            return []
        return [*time.columns] or [time.name]

    @property
    def _group_name(self) -> list[str]:
        return [self.forecast.group] if self.forecast is not None and self.forecast.group else []

    def _timeline(self, table: CsvTable) -> Timeline:
        """The rows in the order of their series and of time, with the column, format and step of the training."""
        group = [find(name, table.names, table.origin) for name in self._group_name]
        numbers, names = series_of(table, group[0] if group else None)
        if self.forecast is None or (axis := self.forecast.time) is None:
            return make_timeline(numbers, names, None)
        time = read_times(table, find(axis.name, table.names, table.origin), numbers, axis.format)
        check_distinct(table, time, numbers, names, [])
        return make_timeline(numbers, names, time, split_gaps=axis.split_gaps, step=axis.step)

    def _report_short(
        self, table: CsvTable, timeline: Timeline, parts: Mapping[int, tuple[int, int]], short: Sequence[int]
    ) -> None:
        """Warn of the series that end too soon after their beginning or a gap.

        Raises:
            DataError: No other series is left.
        """
        first, last = parts[short[0]]
        name = timeline.names[short[0]]
        size = last - first
        after = ""
        if first in timeline.interruptions and timeline.time is not None:
            after = f" after the gap before {timeline.time.format.write(timeline.time.moments[first])}"
        of_series = f" of the series {name}" if name else ""
        problem = f"{table.origin} has {size} rows{of_series}{after}, but the model takes {self.window} at a time"
        if len(short) == len(parts):
            raise DataError(problem, "a file with more rows")
        others = f"; {len(short) - 1:,} more series are left out too" if len(short) > 1 else ""
        warnings.warn(f"{problem}: the series is left out{others}", DltoolWarning, stacklevel=2)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON, from which `from_dict` restores an equal object."""
        saved = {"kind": "series", **asdict(self)}
        absent = [key for key in ("notations", "forecast") if not saved[key]]
        return {key: value for key, value in saved.items() if key not in absent}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "SeriesPreprocessing":
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()
        }
        del fields["kind"]
        fields["notations"] = {name: Notation(**entry) for name, entry in saved.get("notations", {}).items()}
        fields["forecast"] = ForecastLayout.from_dict(saved["forecast"]) if "forecast" in saved else None
        return cls(**fields)


def in_file(name: str, file: str) -> WindowName:
    """The name of a window of one of several files."""
    series, moment = (name.series, name.moment) if isinstance(name, WindowName) else ("", None)
    return WindowName(f"{file} {name}", series, moment, file)


def read_numbers(table: CsvTable, indices: Sequence[int], first: int = 0, last: int | None = None) -> np.ndarray:
    """The numbers of some columns in the rows from `first` to before `last`, float64 `(R, D)`.

    Raises:
        DataError: A cell is missing or is a text; the message names file, row and column.
    """
    columns = []
    for index in indices:
        cells, name = table.columns[index][first:last], table.names[index]
        numbers, texts = parse_numbers(cells)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            reason = too_large(cells[row]) or f"{cells[row].strip()!r} is not a number"
            what = reason if texts[row] else "the cell is missing"
            count = int(np.isnan(numbers).sum()) - 1
            more = f"; so are {count:,} more cells of the column" if count else ""
            raise DataError(
                f"{place(table.origin, table.rows, first + row, name)}: {what}{more}",
                "fix the cell, or choose other columns: 'data.columns=[…]'",
            )
        columns.append(numbers)
    return np.stack(columns, axis=1)
