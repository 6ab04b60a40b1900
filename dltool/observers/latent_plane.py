"""A figure of an autoencoder's latent space."""

import copy
from functools import partial
from typing import Any

from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.saving import save_pictures
from dltool.introspection.codes import Codes, watch_codes
from dltool.introspection.pictures import latent_picture
from dltool.tasks.coding import CodingTask
from dltool.tasks.task import Task
from dltool.tasks.uses import reconstructs


class LatentPlanePlot(Observer):
    """Draws plots/latent_plane.png when the training of an autoencoder or a VAE ends.

    It shows the samples of the last evaluation: of the test split, or of the validation split if no test was made.

    Args:
        watched: The training; if its model does not encode samples, nothing is drawn.
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._coder: CodingTask | None = None
        self._watching: Codes | None = None
        self._seen: tuple[str, Codes] | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._coder = task if reconstructs(task) else None
        self._watching = watch_codes(task)

    def on_record(self, record: dict[str, Any]) -> None:
        """An interrupted evaluation has no record, and is not drawn."""
        if record["split"] in ("val", "test") and self._watching is not None:
            self._seen = record["split"], copy.copy(self._watching)

    def on_end(self) -> None:
        if self._coder is not None and self._seen is not None:
            split, codes = self._seen
            draw = partial(latent_picture, self._coder, codes, self.watched.title, split)
            save_pictures({"latent_plane.png": draw}, self.watched.folder / "plots")
