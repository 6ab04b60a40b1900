"""Rows of numbers and categories."""

from collections.abc import Mapping
from typing import Any

from dltool.core.errors import DataError
from dltool.data.arrays import Column, RawData
from dltool.data.preprocessing import Preprocessing
from dltool.data.scaled_data import ScaledData
from dltool.data.scaling import Scaling
from dltool.data.table_preprocessing import TablePreprocessing


class TableData(ScaledData):
    """A table, encoded and scaled once when loaded; its targets are unchanged unless the loader standardizes them."""

    preprocessing: TablePreprocessing

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 1:
            raise DataError(f"a table has rows of numbers (N, D), not samples of the shape {shape}")

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> None:
        mode = self._chosen_scaling("standardize")
        train = self.splits["train"].inputs
        columns = columns_of(raw)
        fitted = TablePreprocessing.fit(train, columns, mode, raw.origin, raw.file_columns)
        if mode == "none":
            self._note_blurred(train, [column.name for column in columns], "data.scaling=standardize")
        self._replace_inputs(
            {name: fitted.encode(split.inputs, columns, raw.origin, split.rows) for name, split in self.splits.items()}
        )
        self.preprocessing = fitted
        if fitted.width > len(columns):
            what = f"{len(columns)} columns become" if len(columns) > 1 else "1 column becomes"
            self.notes.append(f"{what} {fitted.width} inputs, one for each category")

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, TablePreprocessing):
            raise DataError(f"{raw.origin} has rows of numbers, but the run was trained on images")
        columns, places = preprocessing.matched(columns_of(raw), raw.origin)
        self._replace_inputs(
            {
                name: preprocessing.encode(split.inputs[:, places], columns, raw.origin, split.rows)
                for name, split in self.splits.items()
            }
        )
        self.preprocessing = preprocessing


def columns_of(raw: RawData) -> tuple[Column, ...]:
    """The columns of the data, with numbered names where the data has none."""
    names = raw.feature_names or tuple(f"column_{i + 1}" for i in range(raw.train.inputs.shape[1]))
    return raw.columns or tuple(map(Column, names))
