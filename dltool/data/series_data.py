"""Windows of a time series of numbers."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData
from dltool.data.preprocessing import Preprocessing
from dltool.data.sample_data import ScaledData
from dltool.data.scaling import Scaling, fit_rows
from dltool.data.series_preprocessing import SeriesPreprocessing


class SeriesData(ScaledData):
    """Windows `(T, D)`, scaled once when loaded; the end of the series is held out, the test split last.

    Each column is scaled by the training split's windows, in which a row counts once for each window that contains it.
    """

    preprocessing: SeriesPreprocessing

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 2:
            raise DataError(f"a series has windows (N, T, D), not samples of the shape {shape}")

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> None:
        train = self.splits["train"].inputs
        mode = self._chosen_scaling("standardize")
        self._forecast_columns = raw.forecast_columns
        if mode == "none":
            self._note_blurred(train.flatten(0, 1), raw.feature_names, "data.scaling=standardize")
        shift, factor = fit_rows(train.flatten(0, 1), mode)
        self.preprocessing = SeriesPreprocessing(
            raw.feature_names,
            train.shape[1],
            tuple(shift.tolist()),
            tuple(factor.tolist()),
            raw.file_columns == 0,
            dict(raw.notations),
        )
        self._replace_inputs({name: self.preprocessing(split.inputs) for name, split in self.splits.items()})

    def trivial_prediction(self, inputs: Tensor) -> Tensor | None:
        """The last value of each column to forecast; the mean where a column is not among the inputs."""
        columns = [column for column in self._forecast_columns if column is not None]
        if len(columns) != self.spec.target_dim:
            return super().trivial_prediction(inputs)
        last = (inputs[:, -1].cpu() if inputs.device.type == "mps" else inputs[:, -1]).double()
        fitted = self.preprocessing
        values = last / last.new_tensor(fitted.factor) + last.new_tensor(fitted.shift)
        return self.spec.standardized(values[:, columns]).to(inputs.device)

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, SeriesPreprocessing):
            raise DataError(f"{raw.origin} has a series, but the run was trained on other data")
        if raw.feature_names != preprocessing.columns:
            raise DataError(
                f"{raw.origin}: its columns {', '.join(raw.feature_names)} are not those of the run, "
                f"{', '.join(preprocessing.columns)}",
                setting("data.columns", preprocessing.columns),
            )
        if raw.train.inputs.shape[1] != preprocessing.window:
            raise DataError(
                f"data.window={raw.train.inputs.shape[1]}, but the run was trained on {preprocessing.window}",
                setting("data.window", preprocessing.window),
            )
        self.preprocessing = preprocessing
        self._replace_inputs({name: preprocessing(split.inputs) for name, split in self.splits.items()})
