"""What the stopping rules of a run compare with their thresholds."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from dltool.diagnostics.store import read_stopping
from dltool.engine.monitored_metric import monitored_metric
from dltool.figures.drawing import metric_name
from dltool.figures.stopping import StopPanel, stopping_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject


class StoppingFigure:
    """The gradient's norm, the update's, the change of the loss … over the steps, each with its threshold."""

    name = "stopping"
    summary = "the quantities of the stopping rules, such as the gradient's norm, and their thresholds"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not panels_of(subject):
            return (
                "no stopping rule was evaluated (diagnostics=default with stop.gradient_norm=…, stop.patience=… etc.)"
            )
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        title = word("{title}: quantities that stop the training", title=subject.title)
        period = word("measured every {period} steps", period=subject.config["stop"]["every_n_steps"])
        return {
            "stopping": partial(stopping_picture, panels_of(subject), title=title, note=f"{subject.note()}, {period}")
        }


def panels_of(subject: Subject) -> list[StopPanel]:
    """A panel for each rule with a threshold that was evaluated."""
    stop = subject.config.get("stop", {})
    found = read_stopping(subject.folder)
    texts = descriptions(subject, stop)
    return [
        StopPanel(f"stop.{name}", float(stop[name]), *texts[name], sorted(found[name].items()))
        for name in texts
        if name in found and stop.get(name) is not None
    ]


def descriptions(subject: Subject, stop: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The name of a rule to what is compared with its threshold, and the label of its axis."""
    full = word("norm of the gradient over the training split")
    gradient = full if stop.get("gradient") == "full" else word("norm of the step's gradient")
    loss, count = metric_name(f"{stop.get('loss', 'train')}/loss"), stop.get("num_evaluations", 0) + 1
    texts = {
        "gradient_norm": (gradient, "‖∇J‖"),
        "update_norm": (word("norm of the update of one step"), "‖Δθ‖"),
        "loss_change": (word("spread of the newest {count} values of {metric}", count=count, metric=loss), loss),
    }
    if monitored := monitored_metric(stop.get("metric"), stop.get("mode", "auto"), subject.task):
        metric = metric_name(monitored[0])
        title = word("evaluations without improvement of {metric}", metric=metric)
        texts |= {"target": (metric, metric), "patience": (title, word("evaluations"))}
    return texts
