"""Writes what a run's page needs of the model and the data: what is known at the start, and the rest at the end."""

from functools import partial

from dltool.build.parts import Parts, describe
from dltool.core.batch import Batch
from dltool.engine.baselines import measure_baselines
from dltool.engine.observer import Observer, Progress, Watched
from dltool.engine.trivial_metrics import trivial_metrics
from dltool.figures.saving import save_pictures
from dltool.introspection.pictures import diagram_picture
from dltool.introspection.playable import playable_or_reason
from dltool.introspection.summary import layer_cells
from dltool.runs.summary_file import read_summary, write_network, write_summary
from dltool.tasks.task import Task

DATA_NOTES = ("data", "classes")  # Lines of the announcement that describe the data.


class SummaryFile(Observer):
    """Writes summary.json with sizes, layers and baselines, plots/network.png, and the network if it can be tried.

    Nothing is measured before the end, since a forward pass of a user's model may draw random numbers.

    Args:
        watched: The training.
        parts: Its parts.
    """

    def __init__(self, watched: Watched, parts: Parts) -> None:
        self.watched = watched
        self.parts = parts
        self._task: Task | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task
        write_summary(self.watched.folder, {**read_summary(self.watched.folder.path), **self.facts()})

    def on_end(self) -> None:
        """While the model still has the weights that were tested."""
        if self._task is None:
            return
        measured: dict[str, object] = {"baselines": self.baselines(self._task), "layers": self.layers(self._task)}
        network = playable_or_reason(self._task, self.watched.spec, self.held_out)
        if "reason" in network:
            measured["not_playable"] = network
        else:
            write_network(self.watched.folder, network)
        write_summary(self.watched.folder, {**self.facts(), **measured})
        if self.parts.logger.plots:
            draw = partial(diagram_picture, self._task, self.watched.spec, self.watched.title)
            save_pictures({"network.png": draw}, self.watched.folder / "plots")

    def held_out(self, count: int) -> Batch:
        """At least so many samples of the last split that there is."""
        dataset = self.parts.dataset
        return dataset.first_batch(next(split for split in ("test", "val", "train") if split in dataset.sizes), count)

    def facts(self) -> dict[str, object]:
        """What the config and the data say."""
        notes = [line.split(maxsplit=1) for line in describe(self.parts)]
        return {
            "sizes": dict(self.parts.dataset.sizes),
            "unit": self.parts.dataset.unit,
            "loss": self.parts.config.chosen_loss,
            "data": [note for note in notes if note[0] in DATA_NOTES and len(note) == 2],
        }

    def baselines(self, task: Task) -> dict[str, str]:
        """Metrics of predictions without a model, as text, by the metric's name with its split."""
        found: dict[str, str] = {}
        for split in set(self.parts.dataset.sizes) & {"val", "test"}:
            measured = measure_baselines(task, self.parts.dataset, [split])
            names = {name for values in measured.values.values() for name in values}
            found |= {f"{split}/{name}": measured.beside(name) for name in names}
            if not names:
                trivial = trivial_metrics(task, self.parts.dataset, split)
                found |= {f"{split}/{name}": text for name, text in trivial.items()}
            if (majority := self.parts.dataset.baseline([split])) and f"{split}/accuracy" not in found:
                found[f"{split}/accuracy"] = majority
        return found

    def layers(self, task: Task) -> dict[str, list[object]]:
        """The table of the layers; empty if the model cannot compute an example of the data's shape."""
        try:
            columns, *rows = layer_cells(task.model, self.watched.spec, traced=False)
        except Exception:  # A user's model, which may need more than a shape.
            return {}
        return {"columns": [*columns], "rows": [*rows]}
