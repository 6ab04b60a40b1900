"""Windows of a time series of numbers."""

from collections.abc import Mapping
from typing import Any

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData
from dltool.data.preprocessing import Preprocessing
from dltool.data.scaled_data import ScaledData
from dltool.data.scaling import Scaling, fit_rows
from dltool.data.series_layout import Baseline, ForecastExample, ForecastLayout, SeriesLayout
from dltool.data.series_preprocessing import SeriesPreprocessing


class SeriesData(ScaledData):
    """Windows `(T, D)`, scaled once when loaded; the end of the series is held out, the test split last.

    Each column is scaled by the training split's windows, in which a row counts once for each window that contains it.
    """

    preprocessing: SeriesPreprocessing
    _series: SeriesLayout

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 2:
            raise DataError(f"a series has windows (N, T, D), not samples of the shape {shape}")

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> None:
        train = self.splits["train"].inputs
        mode = self._chosen_scaling("standardize")
        assert raw.series is not None
        self._series = raw.series
        if mode == "none":
            self._note_blurred(train.flatten(0, 1), raw.feature_names, "data.scaling=standardize")
        shift, factor = fit_rows(train.flatten(0, 1), mode)
        self.preprocessing = SeriesPreprocessing(
            raw.feature_names,
            train.shape[1],
            tuple(shift.tolist()),
            tuple(factor.tolist()),
            raw.file_columns == 0,
            dict(raw.series.notations),
            raw.series.forecast,
        )
        self._replace_inputs({name: self.preprocessing(split.inputs) for name, split in self.splits.items()})

    def sample_names(self, split: str) -> list[str]:
        return self._series.names(self.splits[split].places)

    def baselines(self, split: str) -> list[Baseline]:
        """The naive forecast and, where the step has a season, the seasonal naive one."""
        places = self._evaluated(self.splits[split].places)
        last = self._series.last_inputs(places)
        found = [Baseline("naive", "the last value of the series", self._series.naive(last))]
        if (seasonal := self._series.seasonal(last)) is not None:
            found.append(Baseline("seasonal naive", f"the value {self._series.season} steps before", seasonal))
        return [one._replace(values=self.spec.standardized(one.values)) for one in found]

    def forecast_example(self, split: str) -> ForecastExample | None:
        rows, inputs = self.splits[split].places, self.splits[split].inputs
        chosen = self._series.example_samples(rows, inputs.shape[1])
        return self._series.example(rows[chosen], inputs[chosen].to(self.device))

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, SeriesPreprocessing) or raw.series is None:
            raise DataError(f"{raw.origin} has a series, but the run was trained on other data")
        self._series = raw.series
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
        check_forecast(raw, preprocessing.forecast, raw.series.forecast)
        self.preprocessing = preprocessing
        self._replace_inputs({name: preprocessing(split.inputs) for name, split in self.splits.items()})


def check_forecast(raw: RawData, trained: ForecastLayout | None, found: ForecastLayout) -> None:
    """Raises DataError if the columns or the rows to forecast are not those of the run."""
    if trained is None:  # An older run.
        return
    if found.targets != trained.targets:
        raise DataError(
            f"{raw.origin}: the columns to forecast, {', '.join(found.targets)}, are not those of the run, "
            f"{', '.join(trained.targets)}",
            setting("data.target", trained.targets),
        )
    if found.horizon != trained.horizon:
        raise DataError(
            f"data.horizon={found.horizon}, but the run was trained on {trained.horizon}",
            setting("data.horizon", trained.horizon),
        )
