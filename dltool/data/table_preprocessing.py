"""The preprocessing from raw rows of a table to model inputs: fitted on the training split, saved with the run."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.notices import DltoolWarning
from dltool.core.shell import setting
from dltool.data.arrays import Column
from dltool.data.cells import parse_categories, parse_numbers, too_large
from dltool.data.csv_file import CsvTable, read_csv
from dltool.data.notation import Notation, apply
from dltool.data.preprocessing import Preprocessing, example_generator
from dltool.data.raw_front import Columns, RawFront
from dltool.data.raw_inputs import Named, Raw, as_paths, refuse_frame
from dltool.data.scaling import Scaling, fit_rows
from dltool.data.table_columns import CategoryColumn, NumberColumn, Rows, filling, find, place

NAMED = 8  # Number of columns that a description names.


@dataclass(frozen=True)
class TablePreprocessing(Preprocessing):
    """Encodes and scales rows, column by column.

    Attributes:
        columns: In the order of the inputs.
        file_columns: Number of columns of a training file without a header, target included; other files without one
            are then read by position. 0 if it had a header.
    """

    columns: tuple[NumberColumn | CategoryColumn, ...]
    file_columns: int = 0

    @classmethod
    def fit(
        cls, train: Tensor, columns: Sequence[Column], mode: Scaling, origin: str = "data", file_columns: int = 0
    ) -> "TablePreprocessing":
        """Fit fill values, categories and scales to the training split.

        Args:
            train: `(N, D)`: numbers, or codes of `columns[j].categories`; NaN where a cell is missing.
            columns: The contents of the columns.
            mode: How numbers are scaled; see fit_rows. Categories stay 0 and 1.
            origin: The data's origin, for messages.
            file_columns: See the class.

        Raises:
            DataError: All cells of a column are missing in the training split.
        """
        fitted: list[NumberColumn | CategoryColumn] = []
        for values, column in zip(train.unbind(1), columns, strict=True):
            present = values[~values.isnan()]
            if len(present) == 0:
                raise DataError(
                    f"{origin}: all cells of the column {column.name} are missing in the training split",
                    setting("data.drop", [column.name]),
                )
            fill = None if column.fill is None else float(filling(present, column))
            if column.categories is None:
                whole = present if fill is None else torch.where(values.isnan(), fill, values.double())
                shift, factor = fit_rows(whole[:, None], mode)
                fitted.append(NumberColumn(column.name, shift.item(), factor.item(), fill, column.notation))
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
        """Encode raw rows; columns are found by name, and others are ignored.

        Returns:
            float32 `(B, D)`, the model's inputs.

        Raises:
            DataError: A column is missing; a cell is missing, a text in a column of numbers, or a category that is not
                in the training data; the message names file, row and column.
        """
        values, columns = [], []
        for column in self.columns:
            cells = table.columns[find(column.name, table.names, table.origin)]
            if isinstance(column, NumberColumn):
                numbers, texts = parse_numbers(cells)
                if texts.any():
                    row = int(texts.argmax())
                    what = too_large(cells[row]) or f"{cells[row].strip()!r} is a text in a column of numbers"
                    raise DataError(
                        f"{place(table.origin, table.rows, row, column.name)}: {what}",
                        "fix the cell: numbers are read as in the training file",
                    )
                columns.append(Column(column.name))
            else:
                numbers, found = parse_categories(cells, column.categories)
                columns.append(Column(column.name, tuple(found)))
            values.append(torch.from_numpy(numbers))
        return self.encode(torch.stack(values, 1), columns, table.origin, table.rows)

    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """Rows of CSV files, mappings or numbers; a row is named as in its file."""
        paths = as_paths(inputs)
        refuse_frame(inputs, "frame.to_dict('records')")
        if paths is not None:
            names, rows = self._read_files(paths)
        elif isinstance(inputs, Sequence) and inputs and all(isinstance(row, Mapping) for row in inputs):
            names, rows = self._read_mappings(inputs)
        else:
            names, rows = self._read_numbers(inputs)
        for start in range(0, len(rows), batch_size):
            yield names[start : start + batch_size], rows[start : start + batch_size]

    def _read_files(self, paths: Sequence[Path]) -> Named:
        tables = [self.read_file(path) for path in paths]
        names = [
            f"{path}:{row}" if len(tables) > 1 else str(row)
            for path, table in zip(paths, tables, strict=True)
            for row in table.rows
        ]
        return names, torch.cat([self(table) for table in tables])

    def _read_mappings(self, inputs: Any) -> Named:
        dates = {name: notation for name, notation in self.notations().items() if notation.date}
        table = apply(CsvTable.from_rows(inputs), dates)
        return [str(row) for row in table.rows], self(table)

    def _read_numbers(self, inputs: Any) -> Named:
        """Numbers `(B, D)` or `(D,)` in the order of the columns."""
        if texts := self._category_names():
            raise DataError(
                f"the column {texts[0]} holds categories, which are not numbers",
                f"[{{'{self.columns[0].name}': …}}, …]",
            )
        try:
            values = torch.as_tensor(np.asarray(inputs, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise DataError(f"the rows are not numbers: {error}", "a CSV file, mappings, or numbers (B, D)") from error
        values = values[None] if values.ndim == 1 else values
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            shape = tuple(values.shape)
            raise DataError(f"the rows have the shape {shape}, not (B, {len(self.columns)}), one number per column")
        names = [str(row) for row in range(1, len(values) + 1)]
        return names, self.encode(values, [Column(column.name) for column in self.columns], "rows")

    @property
    def input_names(self) -> tuple[str, ...]:
        """Empty if a column holds categories."""
        return () if self._category_names() else tuple(column.name for column in self.columns)

    def raw_numbers(self, inputs: Tensor) -> Tensor | None:
        """The inverse of the scaling; rounding of the inputs to float32 remains."""
        numbers = [column for column in self.columns if isinstance(column, NumberColumn)]
        if len(numbers) < len(self.columns):
            return None
        exact = inputs.detach().cpu().double()
        shift, factor = ([getattr(column, name) for column in numbers] for name in ("shift", "factor"))
        return exact / exact.new_tensor(factor) + exact.new_tensor(shift)

    def notations(self) -> dict[str, Notation]:
        """Column to how the training file writes its numbers, where that is not as Python does."""
        numbers = (column for column in self.columns if isinstance(column, NumberColumn))
        return {column.name: column.notation for column in numbers if column.notation is not None}

    def _category_names(self) -> list[str]:
        return [column.name for column in self.columns if isinstance(column, CategoryColumn)]

    def describe(self) -> str:
        numbers = "the columns in order, each as (number - shift) * factor"
        if self._category_names():
            return f"{numbers}; each category as one input, 1 for the row's category and 0 for the others"
        return numbers

    def example_inputs(self, count: int) -> Tensor:
        source = example_generator(count)
        return torch.cat([column.examples(count, source) for column in self.columns], dim=1)

    def raw_front(self) -> RawFront:
        """Takes rows of numbers, float64; the examples have the mean and deviation of the training data."""
        if texts := self._category_names():
            raise ConfigError(
                f"the column {texts[0]} holds categories, whose preprocessing cannot be exported",
                "without --with-preprocessing; the file describes how to encode them",
            )
        columns = [column for column in self.columns if isinstance(column, NumberColumn)]
        shift, factor = [column.shift for column in columns], [column.factor for column in columns]
        module = Columns(shift, factor, [column.fill for column in columns])

        def samples(count: int) -> Tensor:
            scaled = torch.randn(count, len(shift), generator=example_generator(count), dtype=torch.float64)
            return module.shift + scaled / module.factor

        names = [column.name for column in columns]
        return RawFront(module, samples, f"the columns {', '.join(names[:NAMED])}{', …' if names[NAMED:] else ''}")

    def read_file(self, path: Path) -> CsvTable:
        """Read a file to be encoded: with a header, or without one if the training file had none.

        Its numbers are in the notation of the training file, unlike those of mappings, which are Python's.

        Raises:
            DataError: It is not a table, or has neither the names nor the number of columns.
        """
        names = tuple(column.name for column in self.columns)
        table = read_csv(path, header="auto" if self.file_columns == 0 else False, expected=names)
        table = table.first_columns(self.file_columns or len(table.names))
        if table.header or len(table.names) == self.file_columns:
            return apply(table, self.notations())
        wanted_names = f"a header with {', '.join(names)}"
        if len(table.names) != len(names):
            expected = f"{self.file_columns} columns as in training, or the {len(names)} of the inputs"
            wanted = expected if self.file_columns else wanted_names
            raise DataError(f"{table.origin} has {len(table.names)} columns and no header; {wanted} are needed")
        if not self.file_columns:
            warnings.warn(
                f"{table.origin} has no header: its columns are taken as {', '.join(names)}, in this order",
                DltoolWarning,
                stacklevel=2,
            )
        return apply(replace(table, names=names), self.notations())

    def encode(
        self,
        values: Tensor,
        columns: Sequence[Column],
        origin: str = "data",
        rows: Rows | None = None,
    ) -> Tensor:
        """Encode `(B, D)` numbers and codes, NaN where a cell is missing.

        Args:
            values: One column for each of this class's.
            columns: The meaning of the codes.
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
                    "fix the cell, or train with data.missing=mean or mode",
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
                "data.unknown=ignore trains a model that encodes it as none of them",
            )
        return codes

    def matched(self, columns: Sequence[Column], origin: str) -> tuple[list[Column], list[int]]:
        """The columns of other data that match these, and their positions there.

        Raises:
            DataError: A column is missing, or holds another kind of values than in training.
        """
        names = [column.name for column in columns]
        places = [find(name, names, origin) for name in (own.name for own in self.columns)]
        for own, given in zip(self.columns, (columns[index] for index in places), strict=True):
            if isinstance(own, NumberColumn) != (given.categories is None):
                kinds = ("numbers", "categories") if given.categories is None else ("categories", "numbers")
                raise DataError(
                    f"{origin}: the column {own.name} holds {kinds[0]}, but held {kinds[1]} in training",
                    setting("data.categories", [own.name]) if given.categories is None else "fix its cells",
                )
        return [columns[place] for place in places], places

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON, from which `from_dict` restores an equal object."""
        columns = [
            {"type": "number" if isinstance(column, NumberColumn) else "category", **asdict(column)}
            for column in self.columns
        ]
        columns = [{k: v for k, v in column.items() if k != "notation" or v is not None} for column in columns]
        return {"kind": "table", "columns": columns, "file_columns": self.file_columns}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "TablePreprocessing":
        columns: list[NumberColumn | CategoryColumn] = []
        for entry in saved["columns"]:
            fields = {key: value for key, value in entry.items() if key != "type"}
            if entry["type"] == "number":
                written = fields.pop("notation", None)
                columns.append(NumberColumn(**fields, notation=Notation(**written) if written else None))
            else:
                columns.append(CategoryColumn(**{**fields, "categories": tuple(fields["categories"])}))
        return cls(tuple(columns), saved["file_columns"])
