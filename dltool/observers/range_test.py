"""Ends a learning rate range test when its loss diverges, and draws its figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dltool.diagnostics.range_test import has_diverged, smoothed, suggested_range
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.range_test import RangeCurve, range_test_picture
from dltool.figures.saving import save_pictures
from dltool.figures.words import word
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

STOPPED_BY = "divergence"


class RangeTestPlot(Observer):
    """Draws plots/range_test.png for schedule=range_test, and says which rates to try.

    The loss of each step comes from metrics.jsonl, so that a resumed test shows all steps.

    Args:
        watched: The training.
        draws: Whether the figure is drawn.
        facts: The optimizer, batch size and seed, for the small line of the figure.
    """

    def __init__(self, watched: Watched, *, draws: bool = True, facts: Sequence[str] = ()) -> None:
        self.watched = watched
        self.facts = facts
        self.draws = draws
        self._progress = Progress()

    def on_start(self, task: Task, progress: Progress) -> None:
        self._progress = progress
        self._losses = [c.losses for c in curves_of(self._records()) if c.name == "loss"]
        self._losses = self._losses or [[]]

    def on_record(self, record: dict[str, Any]) -> None:
        if record["split"] != "step" or "step/loss" not in record:
            return
        losses = self._losses[0]
        self._losses[0] = [*losses, record["step/loss"]]
        if has_diverged(self._losses[0]):
            self._progress.stop_request, self._progress.stop_reason = STOPPED_BY, "the loss diverged"

    def on_end(self) -> None:
        curves = curves_of(self._records())
        for curve in curves:
            if curve.suggested is None:
                self.watched.warn(f"{curve.name} never fell in the range test: try a smaller schedule.low")
            else:
                low, high = curve.suggested
                between = f"{curve.name} falls for rates from {low:.2g} to {high:.2g}"
                self.watched.note(f"{between}: try optim.lr={high / 3:.1g} … {high:.1g}")
        if self.draws and curves:
            save_pictures({"range_test.png": lambda: self._picture(curves)}, self.watched.folder / "plots")

    def _picture(self, curves: Sequence[RangeCurve]) -> "Figure":
        note = ", ".join([*self.facts, word("{count:,} steps", count=len(curves[0].rates))])
        return range_test_picture(curves, title=word("range test of {title}", title=self.watched.title), note=note)

    def _records(self) -> list[dict[str, Any]]:
        path = self.watched.folder.path / METRICS
        return read_records(path) if path.exists() else []


def curves_of(records: Sequence[Mapping[str, Any]]) -> list[RangeCurve]:
    """One curve for each logged loss, against the rate of the first optimizer."""
    steps = [record for record in records if record["split"] == "step"]
    names = [key.removeprefix("step/") for key in (steps[0] if steps else ()) if key.endswith("loss")]
    curves = []
    for name in names:
        pairs = [(rate_of(record), record.get(f"step/{name}")) for record in steps]
        found = [(rate, loss) for rate, loss in pairs if isinstance(loss, float | int)]
        rates, losses = [rate for rate, _ in found], [float(loss) for _, loss in found]
        suggested = suggested_range(rates, losses)
        curves.append(RangeCurve(name, rates, losses, smoothed(losses), suggested))
    return curves


def rate_of(record: Mapping[str, Any]) -> float:
    """The rate of the first optimizer."""
    return float(next(value for key, value in record.items() if key.startswith("step/lr")))
