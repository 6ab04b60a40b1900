"""Rows of numbers and categories."""

from collections.abc import Mapping
from typing import Any

from dltool.data.arrays import Column, RawData
from dltool.data.dataset import Dataset
from dltool.data.scaling import Scaling
from dltool.data.table_preprocessing import TablePreprocessing
from dltool.errors import DataError


class TableData(Dataset):
    """A table, encoded and scaled once when loaded. Targets stay as they are, so that errors are in their units."""

    preprocessing: TablePreprocessing

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 1:
            raise DataError(f"a table has rows of numbers (N, D), not samples of the shape {shape}")

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> None:
        mode = self._chosen_scaling("standardize")
        train = self.splits["train"].inputs
        names = raw.feature_names or tuple(f"column_{i + 1}" for i in range(train.shape[1]))
        columns = raw.columns or tuple(map(Column, names))
        fitted = TablePreprocessing.fit(train, columns, mode, raw.origin, raw.file_columns)
        self._replace_inputs(
            {name: fitted.encode(split.inputs, columns, raw.origin, split.rows) for name, split in self.splits.items()}
        )
        self.preprocessing = fitted
        if fitted.width > len(columns):
            self.notes.append(f"{len(columns)} columns become {fitted.width} inputs, one for each category")
