"""The figure of forecasts draws each value at its time."""

import datetime as d

import numpy as np

from dltool.figures.forecast import MOST_PANELS, forecast_panels


def test_history_truth_and_forecasts_are_at_their_times() -> None:
    times = [d.datetime(2020, 1, 1) + d.timedelta(days=i) for i in range(10)]
    values, forecasts = np.arange(20.0).reshape(10, 2), np.arange(8.0).reshape(2, 2, 2) + 100
    figure = forecast_panels(times, values, forecasts, [6, 8], ["a", "b"], title="gru on series", unit="date")
    for column, axes in enumerate(figure.axes):
        history, truth, first, second, _ = axes.get_lines()
        assert history.get_xdata().tolist() == times[:6]
        assert history.get_ydata().tolist() == values[:6, column].tolist()
        assert truth.get_ydata().tolist() == values[5:, column].tolist()
        assert first.get_xdata().tolist() == times[6:8]
        assert first.get_ydata().tolist() == forecasts[0, :, column].tolist()
        assert second.get_xdata().tolist() == times[8:]
        assert axes.get_ylabel() == "ab"[column]
    assert figure.axes[-1].get_xlabel() == "date"
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["history", "truth", "forecast"]


def test_single_values_are_points_and_columns_are_limited() -> None:
    names = [f"c{i}" for i in range(MOST_PANELS + 3)]
    values, forecasts = np.zeros((5, len(names))), np.zeros((2, 1, len(names)))
    figure = forecast_panels([0.5 * i for i in range(5)], values, forecasts, [3, 4], names, title="t")
    assert len(figure.axes) == MOST_PANELS
    assert figure.axes[0].get_lines()[2].get_linestyle() == "None"
    assert f"the first {MOST_PANELS} of {len(names)} columns" in figure.get_suptitle()
