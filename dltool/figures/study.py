"""Figures of a search: the best value over the trials, the values over the search space, and all curves."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dltool.figures.drawing import make_figure, num_panel_columns, scale_progress_axis
from dltool.figures.style import BLUE, CURVES_TITLE, ORANGE, PANEL_HEIGHT, PANEL_WIDTH, SILVER, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FINISHED, PRUNED, BEST = BLUE, SILVER, ORANGE


class TrialPoint(NamedTuple):
    """A trial of a search.

    Attributes:
        number: The number of the trial.
        value: Its value.
        finished: Whether it was trained to its end; False if it was pruned.
        curve: The metric over its training, (epoch, value).
        places: Its position on the axis of each dimension, by the dimension's key.
    """

    number: int
    value: float
    finished: bool
    curve: Sequence[tuple[float, float]]
    places: Mapping[str, float]


class SpaceAxis(NamedTuple):
    """The axis of a dimension of the search space.

    Attributes:
        key: The key of the dimension.
        choices: The names of the choices, at 0, 1, …; empty for numbers.
        log: Whether numbers are on a logarithmic scale.
    """

    key: str
    choices: Sequence[str] = ()
    log: bool = False


def search_history(trials: Sequence[TrialPoint], title: str, metric: str, direction: str) -> "Figure":
    """Draw each trial's value by its number, and the best of those finished so far.

    Args:
        trials: In their order.
        title: The name of the study.
        metric: The metric of the values.
        direction: "min" or "max".
    """
    with styled(title):
        figure = make_figure(7.0, 4.4)
        axes = figure.add_subplot()
        scatter(axes, [(trial.number, trial) for trial in trials])
        best: list[tuple[int, float]] = []
        choose = min if direction == "min" else max
        for trial in (trial for trial in trials if trial.finished):
            best.append((trial.number, choose([trial.value] + [value for _, value in best[-1:]])))
        if best:
            axes.step(*zip(*best, strict=True), where="post", color=BEST, label=word("best so far"), zorder=2)
        axes.set(xlabel=word("trial"), ylabel=word(metric), title=title)
        axes.legend()
        return figure


def search_space(trials: Sequence[TrialPoint], space: Sequence[SpaceAxis], title: str, metric: str) -> "Figure":
    """Draw the values over each dimension of the search space."""
    columns = num_panel_columns(len(space))
    rows = math.ceil(len(space) / columns)
    with styled(title, *(axis.key for axis in space)):
        figure = make_figure(1.2 + PANEL_WIDTH * columns, 0.9 + PANEL_HEIGHT * rows)
        figure.suptitle(title, fontsize=CURVES_TITLE)
        for place, (key, choices, log) in enumerate(space, start=1):
            axes = figure.add_subplot(rows, columns, place)
            scatter(axes, [(trial.places[key], trial) for trial in trials if key in trial.places])
            axes.set(xlabel=key, ylabel=word(metric))
            if choices:
                axes.set_xticks(range(len(choices)), choices)
                axes.set_xlim(-0.5, len(choices) - 0.5)
            elif log:
                axes.set_xscale("log")
                axes.xaxis.set_major_formatter("{x:g}")
            if place == 1:
                axes.legend()
        return figure


def trial_curves(trials: Sequence[TrialPoint], title: str, metric: str, best: int | None) -> "Figure":
    """Draw the metric of every trial over its training; the curves of pruned trials end where they were pruned.

    Args:
        trials: In their order.
        title: The name of the study.
        metric: The metric of the values.
        best: Number of the best trial, if one is finished.
    """
    with styled(title):
        figure = make_figure(7.0, 4.4)
        axes = figure.add_subplot()
        for trial in sorted(trials, key=lambda trial: trial.finished):
            is_best = trial.number == best
            color = BEST if is_best else FINISHED if trial.finished else PRUNED
            times, values = [time for time, _ in trial.curve], [value for _, value in trial.curve]
            axes.plot(times, values, color=color, linewidth=2 if is_best else 1, zorder=3 if is_best else 1)
            axes.plot(times[-1:], values[-1:], "o", markersize=3, color=color)  # A trial may have one point only.
        for color, label in ((BEST, word("best")), (FINISHED, word("finished")), (PRUNED, word("pruned"))):
            axes.plot([], [], color=color, label=label)
        axes.set(ylabel=word(metric), title=title)
        scale_progress_axis(axes, "epoch", max((time for trial in trials for time, _ in trial.curve), default=1.0))
        axes.legend()
        return figure


def scatter(axes: "Axes", points: Sequence[tuple[float, TrialPoint]]) -> None:
    """Draw the values of trials at x: finished trials in full color, pruned ones pale."""
    for finished, color, label in ((False, PRUNED, word("pruned")), (True, FINISHED, word("finished"))):
        chosen = [(x, trial.value) for x, trial in points if trial.finished == finished]
        if chosen:
            xs, ys = [x for x, _ in chosen], [y for _, y in chosen]
            axes.scatter(xs, ys, s=22, color=color, label=label, zorder=3 if finished else 1)
