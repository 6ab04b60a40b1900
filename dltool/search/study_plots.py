"""Plots of a study: the best value over time, the values over the space, and the curves of all trials."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from dltool.core.safe_path import SafePath
from dltool.figures.drawing import STYLE, make_figure, num_panel_columns, save_figure
from dltool.figures.fonts import fonts_for
from dltool.search.space import Dimension
from dltool.search.study import Study

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes

FINISHED, PRUNED, BEST = "#1f77b4", "#b0b0b0", "#ff7f0e"


def draw_study(study: Study) -> list[Path]:
    """Write history.png, space.png and curves.png into plots/; nothing before the first evaluation."""
    trials = [trial for trial in study.trials if not math.isnan(last_value(trial))]
    if not trials:
        return []
    import matplotlib

    folder = SafePath(study.path, "plots")
    with fonts_for(study.name, *(dimension.key for dimension in study.space)), matplotlib.rc_context(STYLE):
        return [
            draw_history(study, trials, folder / "history.png"),
            draw_space(study, trials, folder / "space.png"),
            draw_curves(study, trials, folder / "curves.png"),
        ]


def last_value(trial: FrozenTrial) -> float:
    """The value of a trial, or its last evaluation if it was pruned; else NaN."""
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        return float(trial.value)
    values = trial.intermediate_values
    return float(values[max(values)]) if trial.state == TrialState.PRUNED and values else math.nan


def is_finished(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE


def draw_history(study: Study, trials: list[FrozenTrial], path: SafePath) -> Path:
    """Each trial's value by its number, and the best finished one so far."""
    figure = make_figure(7.0, 4.4)
    axes = figure.add_subplot()
    scatter(axes, [(trial.number, last_value(trial), trial) for trial in trials])
    best: list[tuple[int, float]] = []
    choose = min if study.direction == "min" else max
    for trial in filter(is_finished, trials):
        best.append((trial.number, choose([last_value(trial)] + [value for _, value in best[-1:]])))
    if best:
        axes.step(*zip(*best, strict=True), where="post", color=BEST, label="best so far", zorder=2)
    axes.set(xlabel="trial", ylabel=study.metric, title=study.name)
    axes.legend()
    save_figure(figure, path)
    return path.path


def draw_space(study: Study, trials: list[FrozenTrial], path: SafePath) -> Path:
    """The value over each dimension of the space: the regions of the good trials."""
    columns = num_panel_columns(len(study.space))
    rows = math.ceil(len(study.space) / columns)
    figure = make_figure(1.2 + 4.8 * columns, 0.9 + 3.5 * rows)
    figure.suptitle(study.name, fontsize=16)
    for place, dimension in enumerate(study.space, start=1):
        axes = figure.add_subplot(rows, columns, place)
        points = [
            (where(dimension, t.params[dimension.key]), last_value(t), t) for t in trials if dimension.key in t.params
        ]
        scatter(axes, points)
        axes.set(xlabel=dimension.key, ylabel=study.metric)
        if dimension.choices:
            axes.set_xticks(range(len(dimension.choices)), dimension.choices)
            axes.set_xlim(-0.5, len(dimension.choices) - 0.5)
        elif dimension.log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        if place == 1:
            axes.legend()
    save_figure(figure, path)
    return path.path


def where(dimension: Dimension, value: object) -> float:
    """A value's position on the axis; choices are placed side by side."""
    return float(dimension.choices.index(str(value))) if dimension.choices else float(str(value))


def draw_curves(study: Study, trials: list[FrozenTrial], path: SafePath) -> Path:
    """The metric of every trial over its training; the curves of pruned trials end early."""
    figure = make_figure(7.0, 4.4)
    axes = figure.add_subplot()
    finished = study.finished()
    for trial in sorted(trials, key=is_finished):
        is_best = bool(finished) and trial.number == finished[0].number
        color = BEST if is_best else FINISHED if is_finished(trial) else PRUNED
        curve = sorted(trial.intermediate_values.items())
        times, values = [time for time, _ in curve], [value for _, value in curve]
        axes.plot(times, values, color=color, linewidth=2 if is_best else 1, zorder=3 if is_best else 1)
        axes.plot(times[-1:], values[-1:], "o", markersize=3, color=color)  # A trial may have one point only.
    for color, label in ((BEST, "best"), (FINISHED, "finished"), (PRUNED, "pruned")):
        axes.plot([], [], color=color, label=label)
    axes.set(xlabel="epoch", ylabel=study.metric, title=study.name)
    axes.legend()
    save_figure(figure, path)
    return path.path


def scatter(axes: "Axes", points: list[tuple[float, float, FrozenTrial]]) -> None:
    """Finished trials opaque, pruned ones pale."""
    for finished, color, label in ((False, PRUNED, "pruned"), (True, FINISHED, "finished")):
        chosen = [(x, y) for x, y, trial in points if is_finished(trial) == finished]
        if chosen:
            xs, ys = [x for x, _ in chosen], [y for _, y in chosen]
            axes.scatter(xs, ys, s=22, color=color, label=label, zorder=3 if finished else 1)
