"""What stands between a table's raw rows and the model: fitted on the training split, saved with the run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.data.arrays import Column
from dltool.data.cells import parse_categories, parse_numbers
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.scaling import Scaling, fit_rows

Rows = Sequence[int] | Tensor  # Where each row stands in its file.


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers becomes one input, `(number - shift) * factor`; `fill` stands in for a missing cell."""

    name: str
    shift: float
    factor: float
    fill: float | None = None

    width = 1


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories becomes one input a category, 1 for that of the row and 0 for the others.

    Attributes:
        categories: Those of the training split, in the order of their inputs.
        fill: The category that stands in for a missing cell; None refuses it.
        unknown: Whether any other category is refused, or ignored, so that all inputs are 0.
    """

    name: str
    categories: tuple[str, ...]
    fill: str | None = None
    unknown: Literal["refuse", "ignore"] = "refuse"

    @property
    def width(self) -> int:
        return len(self.categories)


@dataclass(frozen=True)
class TablePreprocessing:
    """Encodes and scales rows, column by column.

    Attributes:
        columns: In the order of the inputs.
        file_columns: How many columns the training file had, its target included, where it had no header; a file
            without one is then read by position. 0 where it had one.
    """

    gives_pixels: ClassVar[Literal[False]] = False

    columns: tuple[NumberColumn | CategoryColumn, ...]
    file_columns: int = 0

    @classmethod
    def fit(
        cls, train: Tensor, columns: Sequence[Column], mode: Scaling, origin: str = "data", file_columns: int = 0
    ) -> "TablePreprocessing":
        """Take fillings, categories and scale from the training split alone.

        Args:
            train: `(N, D)`: numbers, or codes of `columns[j].categories`; NaN where a cell is missing.
            columns: What the columns hold.
            mode: How numbers are scaled; see fit_rows. Categories stay 0 and 1.
            origin: The data's, for messages.
            file_columns: See the class.

        Raises:
            DataError: All cells of a column are missing in the training split.
        """
        fitted: list[NumberColumn | CategoryColumn] = []
        for values, column in zip(train.unbind(1), columns, strict=True):
            present = values[~values.isnan()]
            if len(present) == 0:
                raise DataError(
                    f"{origin}: all cells of the column {column.name} that fell to the training split are missing",
                    setting("data.drop", [column.name]),
                )
            fill = None if column.fill is None else float(filling(present, column))
            if column.categories is None:
                whole = present if fill is None else torch.where(values.isnan(), fill, values.double())
                shift, factor = fit_rows(whole[:, None], mode)
                fitted.append(NumberColumn(column.name, shift.item(), factor.item(), fill))
            else:
                seen = tuple(column.categories[int(code)] for code in present.unique())  # Sorted.
                text = None if fill is None else column.categories[int(fill)]
                fitted.append(CategoryColumn(column.name, seen, text, column.unknown))
        return cls(tuple(fitted), file_columns)

    @property
    def width(self) -> int:
        """D of the model's inputs."""
        return sum(column.width for column in self.columns)

    def __call__(self, table: CsvTable) -> Tensor:
        """Encode raw rows; columns are found by their names, and others do not matter.

        Returns:
            float32 `(B, D)`, ready for the model.

        Raises:
            DataError: A column is missing; a cell is missing, a text in a column of numbers, or a category that the
                training never saw; with file, row and column.
        """
        values, columns = [], []
        for column in self.columns:
            cells = table.columns[find(column.name, table.names, table.origin)]
            if isinstance(column, NumberColumn):
                numbers, texts = parse_numbers(cells)
                if texts.any():
                    row = int(texts.argmax())
                    raise DataError(
                        f"{place(table.origin, table.rows, row, column.name)}: {cells[row].strip()!r} is a text in a "
                        "column of numbers",
                        "mend the cell",
                    )
                columns.append(Column(column.name))
            else:
                numbers, found = parse_categories(cells, column.categories)
                columns.append(Column(column.name, tuple(found)))
            values.append(torch.from_numpy(numbers))
        return self.encode(torch.stack(values, 1), columns, table.origin, table.rows)

    def read(self, path: Path) -> CsvTable:
        """Read a file to be encoded: with a header, or without one if the training file had none.

        Raises:
            DataError: It is no table, or has neither the names nor the number of columns.
        """
        names = tuple(column.name for column in self.columns)
        table = read_csv(path, header="auto" if self.file_columns == 0 else False, expected=names)
        if table.header or len(table.names) == self.file_columns:
            return table
        if len(table.names) != len(names):
            expected = f"{self.file_columns} columns as in training, or the {len(names)} of the inputs"
            wanted = expected if self.file_columns else f"a header with {', '.join(names)}"
            raise DataError(f"{table.origin} has {len(table.names)} columns and no header; {wanted} are needed")
        return replace(table, names=names)

    def encode(
        self,
        values: Tensor,
        columns: Sequence[Column],
        origin: str = "data",
        rows: Rows | None = None,
    ) -> Tensor:
        """Encode `(B, D)` of numbers and codes, NaN where a cell is missing.

        Args:
            values: One column for each of this class's.
            columns: What its codes mean.
            origin: For messages.
            rows: For messages.

        Returns:
            float32 `(B, width)`.
        """
        inputs = torch.zeros(len(values), self.width)
        position = 0
        for own, given, column in zip(self.columns, columns, values.unbind(1), strict=True):
            absent = column.isnan()
            if own.fill is None and absent.any():
                row = int(absent.int().argmax())
                raise DataError(
                    f"{place(origin, rows, row, own.name)}: the cell is missing",
                    "mend the cell, or train with data.missing=mean or mode",
                )
            if isinstance(own, NumberColumn):
                filled = column.double() if own.fill is None else torch.where(absent, own.fill, column.double())
                inputs[:, position] = (filled - own.shift) * own.factor
            else:
                codes = self._own_codes(own, given, column, absent, origin, rows)
                known = (codes >= 0).nonzero()[:, 0]
                inputs[known, position + codes[known]] = 1.0
            position += own.width
        return inputs

    def _own_codes(
        self,
        own: CategoryColumn,
        given: Column,
        column: Tensor,
        absent: Tensor,
        origin: str,
        rows: Rows | None,
    ) -> Tensor:
        """Codes of `own.categories`, int64 `(B,)`, -1 for any other category."""
        assert given.categories is not None
        index = {text: code for code, text in enumerate(own.categories)}
        table = torch.tensor([index.get(text, -1) for text in given.categories], dtype=torch.int64)
        codes = column.nan_to_num(0.0).long()
        codes = table[codes] if len(table) else codes  # Every cell may be missing.
        if own.fill is not None:
            codes = torch.where(absent, index[own.fill], codes)
        unknown = codes < 0
        if own.unknown == "refuse" and unknown.any():
            row = int(unknown.int().argmax())
            known = ", ".join(own.categories[:10]) + (", …" if len(own.categories) > 10 else "")
            raise DataError(
                f"{place(origin, rows, row, own.name)}: the training split has no category "
                f"{given.categories[int(column[row])]!r}, only {known}",
                "data.unknown=ignore trains a model for which it is none of them",
            )
        return codes

    def matched(self, columns: Sequence[Column], origin: str) -> tuple[list[Column], list[int]]:
        """Of other data's columns those that these are, and their positions there.

        Raises:
            DataError: One is missing, or holds what it did not hold in training.
        """
        names = [column.name for column in columns]
        places = [find(name, names, origin) for name in (own.name for own in self.columns)]
        for own, given in zip(self.columns, (columns[place] for place in places), strict=True):
            if isinstance(own, NumberColumn) != (given.categories is None):
                kinds = ("numbers", "categories") if given.categories is None else ("categories", "numbers")
                raise DataError(
                    f"{origin}: the column {own.name} holds {kinds[0]}, and held {kinds[1]} in training",
                    setting("data.categories", [own.name]) if given.categories is None else "mend its cells",
                )
        return [columns[place] for place in places], places

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""
        columns = [
            {"type": "number" if isinstance(column, NumberColumn) else "category", **asdict(column)}
            for column in self.columns
        ]
        return {"kind": "table", "columns": columns, "file_columns": self.file_columns}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "TablePreprocessing":
        columns: list[NumberColumn | CategoryColumn] = []
        for entry in saved["columns"]:
            fields = {key: value for key, value in entry.items() if key != "type"}
            if entry["type"] == "number":
                columns.append(NumberColumn(**fields))
            else:
                columns.append(CategoryColumn(**{**fields, "categories": tuple(fields["categories"])}))
        return cls(tuple(columns), saved["file_columns"])


def find(name: str, names: Sequence[str], origin: str) -> int:
    """The position of a name. Raises DataError where there is none such."""
    if name in names:
        return list(names).index(name)
    near = nearest(name, names)
    raise DataError(
        f"{origin} has no column {name}; it has {', '.join(names[:20])}",
        f"is it called {near} there? rename it" if near else "the columns of the training file are needed",
    )


def filling(present: Tensor, column: Column) -> Tensor:
    """The mean, or the most frequent value, the least at a tie."""
    if column.fill == "mean" and column.categories is None:
        return present.double().mean()
    values, counts = present.unique(return_counts=True)
    return values[counts.argmax()]


def place(origin: str, rows: Rows | None, row: int, name: str) -> str:
    return f"{origin}: row {row + 1 if rows is None else int(rows[row])}, column {name}"
