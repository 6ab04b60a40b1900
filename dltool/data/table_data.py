"""Rows of numbers."""

from collections.abc import Mapping
from typing import Any

from dltool.data.dataset import Dataset
from dltool.data.scaling import Scaling, scale_rows
from dltool.errors import DataError


class TableData(Dataset):
    """A table, scaled once when it is loaded. Targets stay as they are, so that errors are in their units."""

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 1:
            raise DataError(f"a table has rows of numbers (N, D), not samples of the shape {shape}")

    def _scale(self, pixel_scaling: Scaling | None) -> None:
        mode = self._chosen_scaling("standardize")
        scaled = scale_rows([split.inputs for split in self.splits.values()], mode)
        self._replace_inputs(dict(zip(self.splits, scaled, strict=True)))
