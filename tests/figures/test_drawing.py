import math

import pytest

from dltool.figures.drawing import (
    LEARNING_RATE,
    label_decades,
    legend_below,
    legend_columns,
    make_figure,
    scale_progress_axis,
    wants_log_scale,
)


@pytest.mark.parametrize(
    ("name", "values", "log"),
    [
        ("loss", [2.0, 0.01], True),
        ("loss", [2.0, 0.1], False),
        ("loss", [2.0, 0.0], False),
        ("accuracy", [0.9, 0.001], False),
        (LEARNING_RATE, [0.1, 0.01, 0.001], True),
        (LEARNING_RATE, [0.1, 0.1, 0.01, 0.01, 0.001], True),
        *(
            (LEARNING_RATE, [1e-3 * math.cos(math.pi / 2 * k / n) + 1e-9 for k in range(1, n + 1)], False)
            for n in (2, 3, 5)
        ),
        (LEARNING_RATE, [1e-3 * math.cos(math.pi / 2 * k / 20) + 1e-9 for k in range(21)], False),
    ],
)
def test_log_scale_where_losses_span_decades(name: str, values: list[float], log: bool) -> None:
    assert wants_log_scale(name, values) == log


@pytest.mark.parametrize(("longest", "columns"), [(10, 6), (40, 2), (120, 1)])
def test_entries_of_a_legend_fit_into_the_figure(longest: int, columns: int) -> None:
    assert legend_columns(["x" * longest, "y"] * 4, 8) == columns


@pytest.mark.parametrize("end", [0.5, 1.0, 1.5, 2.0, 3.0, 25.0])
def test_epochs_have_ticks_at_whole_numbers(end: float) -> None:
    axes = make_figure(4, 3).add_subplot()
    scale_progress_axis(axes, "epoch", end)
    assert all(tick == round(tick) for tick in axes.get_xticks())


@pytest.mark.parametrize("values", [(0.76, 0.97), (0.3, 9), (0.02, 0.9), (1e-7, 1e3)])
def test_a_logarithmic_axis_has_at_least_two_numbers(values: tuple[float, float]) -> None:
    axes = make_figure(4, 3).add_subplot()
    axes.plot(values)
    axes.set_yscale("log")
    label_decades(axes.yaxis)
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    labels = [label for which in ("major", "minor") for label in axes.yaxis.get_ticklabels(which=which)]
    shown = [label.get_text() for label in labels if low <= label.get_position()[1] <= high and label.get_text()]
    assert len(shown) >= 2


def test_a_legend_below_a_panel_overlaps_nothing() -> None:
    figure = make_figure(4, 3)
    axes = figure.add_subplot()
    legend_below(axes, 2)
    assert axes.get_legend() is None
    axes.plot([1, 2], label="a")
    label = axes.set_xlabel("steps")
    legend_below(axes, 2)
    figure.canvas.draw()
    legend = axes.get_legend()
    assert legend is not None
    assert 0 <= legend.get_window_extent().y0 < legend.get_window_extent().y1 <= label.get_window_extent().y0
