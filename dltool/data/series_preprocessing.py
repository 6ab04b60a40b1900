"""What stands between the rows of a series and the model: fitted on the training split, saved with the run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.table_preprocessing import find, place


@dataclass(frozen=True)
class SeriesPreprocessing:
    """Scales windows of a series, column by column.

    Attributes:
        columns: In the order of the inputs, D of them.
        window: T, the rows that the model sees.
        shift, factor: Of each column's `(number - shift) * factor`.
        header: Whether the training file named its columns; else another file is read by position.
    """

    gives_pixels: ClassVar[Literal[False]] = False

    columns: tuple[str, ...]
    window: int
    shift: tuple[float, ...]
    factor: tuple[float, ...]
    header: bool = True

    def __call__(self, windows: Tensor) -> Tensor:
        """Windows `(B, T, D)`, scaled in float64, as float32."""
        exact = windows.double()
        return ((exact - exact.new_tensor(self.shift)) * exact.new_tensor(self.factor)).float()

    def last_window(self, path: Path) -> tuple[str, Tensor]:
        """What follows the end of a CSV file is forecast from its last rows.

        Returns:
            A name for it, and the window, ready for the model, `(1, T, D)`.

        Raises:
            DataError: A column is missing, a cell is no number, or there are too few rows.
        """
        table = read_csv(path, header="auto" if self.header else False, expected=self.columns)
        indices = [find(name, table.names, table.origin) for name in self.columns]
        if len(table) < self.window:
            raise DataError(
                f"{table.origin} has {len(table)} rows, and the model sees {self.window} at a time",
                "a file with more rows",
            )
        values = torch.from_numpy(read_numbers(table, indices, first=len(table) - self.window))
        return f"after row {table.rows[-1]}", self(values[None])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""
        return {"kind": "series", **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "SeriesPreprocessing":
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()
        }
        del fields["kind"]
        return cls(**fields)


def read_numbers(table: CsvTable, indices: Sequence[int], first: int = 0) -> np.ndarray:
    """The numbers of some columns from a row on, float64 `(R, D)`.

    Raises:
        DataError: A cell is missing, or holds a text; with file, row and column.
    """
    columns = []
    for index in indices:
        cells, name = table.columns[index][first:], table.names[index]
        numbers, texts = parse_numbers(cells)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            what = f"{cells[row].strip()!r} is no number" if texts[row] else "the cell is missing"
            count = int(np.isnan(numbers).sum()) - 1
            more = f"; so are {count:,} more of the column" if count else ""
            raise DataError(
                f"{place(table.origin, table.rows, first + row, name)}: {what}{more}",
                "mend the cell, or choose others: 'data.columns=[…]'",
            )
        columns.append(numbers)
    return np.stack(columns, axis=1)
