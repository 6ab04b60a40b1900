"""What the pictures of a study show: its trials, its space."""

import math
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from dltool.core.safe_path import SafePath
from dltool.figures.saving import save_figure
from dltool.figures.study import SpaceAxis, TrialPoint, search_history, search_space, trial_curves
from dltool.search.space import Dimension
from dltool.search.study import Study


def draw_study(study: Study) -> list[Path]:
    """Write history.png, space.png and curves.png into plots/; nothing before the first evaluation."""
    trials = [trial_point(study, trial) for trial in study.trials if not math.isnan(last_value(trial))]
    if not trials:
        return []
    finished = study.finished()
    space = [SpaceAxis(dimension.key, dimension.choices or (), dimension.log) for dimension in study.space]
    figures = {
        "history.png": search_history(trials, study.name, study.metric, study.direction),
        "space.png": search_space(trials, space, study.name, study.metric),
        "curves.png": trial_curves(trials, study.name, study.metric, finished[0].number if finished else None),
    }
    folder = SafePath(study.path, "plots")
    for name, figure in figures.items():
        save_figure(figure, folder / name)
    return [folder.path / name for name in figures]


def trial_point(study: Study, trial: FrozenTrial) -> TrialPoint:
    places = {
        dimension.key: place(dimension, trial.params[dimension.key])
        for dimension in study.space
        if dimension.key in trial.params
    }
    curve = sorted(trial.intermediate_values.items())
    return TrialPoint(trial.number, last_value(trial), trial.state == TrialState.COMPLETE, curve, places)


def last_value(trial: FrozenTrial) -> float:
    """The value of a trial, or its last evaluation if it was pruned; else NaN."""
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        return float(trial.value)
    values = trial.intermediate_values
    return float(values[max(values)]) if trial.state == TrialState.PRUNED and values else math.nan


def place(dimension: Dimension, value: object) -> float:
    """A value's place on the axis; choices stand side by side."""
    return float(dimension.choices.index(str(value))) if dimension.choices else float(str(value))
