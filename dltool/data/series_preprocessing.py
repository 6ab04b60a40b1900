"""The preprocessing from rows of a series to model inputs: fitted on the training split, saved with the run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.notation import Notation, apply
from dltool.data.preprocessing import Preprocessing, example_generator
from dltool.data.raw_front import RawFront
from dltool.data.raw_inputs import Named, Raw, as_paths, refuse_frame
from dltool.data.table_columns import find, place


@dataclass(frozen=True)
class SeriesPreprocessing(Preprocessing):
    """Scales windows of a series, column by column.

    Attributes:
        columns: In the order of the inputs, D of them.
        window: T, the number of input rows.
        shift, factor: Of each column's `(number - shift) * factor`.
        header: Whether the training file named its columns; else another file is read by position.
        notations: How the training file writes the numbers of a column, where that is not as Python does.
    """

    columns: tuple[str, ...]
    window: int
    shift: tuple[float, ...]
    factor: tuple[float, ...]
    header: bool = True
    notations: Mapping[str, Notation] = field(default_factory=dict)

    def __call__(self, windows: Tensor) -> Tensor:
        """Scale windows `(B, T, D)` in float64; returns float32."""
        exact = windows.double()
        return ((exact - exact.new_tensor(self.shift)) * exact.new_tensor(self.factor)).float()

    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """The last rows of each CSV file, or windows in memory, `(B, T, D)` or `(T, D)`, D in the order of columns."""
        del batch_size  # All at once: a window is small.
        paths = as_paths(inputs)
        refuse_frame(inputs, f"frame[{list(self.columns)}].to_numpy()")
        yield self._windows(inputs) if paths is None else self._last_windows(paths)

    def _last_windows(self, paths: Sequence[Path]) -> Named:
        found = [self.last_window(path) for path in paths]
        names = [f"{path} {name}" if len(paths) > 1 else name for path, (name, _) in zip(paths, found, strict=True)]
        return names, torch.cat([window for _, window in found])

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

    def last_window(self, path: Path) -> tuple[str, Tensor]:
        """The last rows of a CSV file, from which the rows after its end are forecast.

        Returns:
            The window's name, and the window as model input, `(1, T, D)`.

        Raises:
            DataError: A column is missing, a cell is not a number, or there are too few rows.
        """
        table = apply(read_csv(path, header="auto" if self.header else False, expected=self.columns), self.notations)
        indices = [find(name, table.names, table.origin) for name in self.columns]
        if len(table) < self.window:
            raise DataError(
                f"{table.origin} has {len(table)} rows, but the model takes {self.window} at a time",
                "a file with more rows",
            )
        values = torch.from_numpy(read_numbers(table, indices, first=len(table) - self.window))
        return f"after row {table.rows[-1]}", self(values[None])

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON, from which `from_dict` restores an equal object."""
        saved = {"kind": "series", **asdict(self)}
        return saved if self.notations else {key: value for key, value in saved.items() if key != "notations"}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "SeriesPreprocessing":
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()
        }
        del fields["kind"]
        fields["notations"] = {name: Notation(**entry) for name, entry in saved.get("notations", {}).items()}
        return cls(**fields)


def read_numbers(table: CsvTable, indices: Sequence[int], first: int = 0) -> np.ndarray:
    """The numbers of some columns from a row on, float64 `(R, D)`.

    Raises:
        DataError: A cell is missing or is a text; the message names file, row and column.
    """
    columns = []
    for index in indices:
        cells, name = table.columns[index][first:], table.names[index]
        numbers, texts = parse_numbers(cells)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            what = f"{cells[row].strip()!r} is not a number" if texts[row] else "the cell is missing"
            count = int(np.isnan(numbers).sum()) - 1
            more = f"; so are {count:,} more cells of the column" if count else ""
            raise DataError(
                f"{place(table.origin, table.rows, first + row, name)}: {what}{more}",
                "fix the cell, or choose other columns: 'data.columns=[…]'",
            )
        columns.append(numbers)
    return np.stack(columns, axis=1)
