"""Images of a model's samples, one per epoch, always from the same noise or the same inputs."""

import contextlib
import functools

from dltool.core.randomness import derive_seed
from dltool.core.safe_path import SafePath, sync_folder
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.image_grid import image_grid
from dltool.figures.image_table import image_table
from dltool.figures.points import point_scatter
from dltool.figures.saving import Target, save_figure, save_film, save_image
from dltool.figures.words import word
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.task import Task

GRID_SIDE = 8
NUM_POINTS = 2000
PICTURES_PER_RUN = 50
FILM = "training.gif"


class SamplesPlot(Observer):
    """Draws `samples/epoch-0001.png` and so on, for tasks whose samples can be drawn, translated images included.

    Images are drawn as a grid, with the names of its rows if there are any; points in the plane as a scatter plot over
    the modes of the data, with the same axes each time. Data of other shapes is not drawn.

    The first epoch, the end of the training and every n-th epoch between are drawn, or every n-th step. If the length
    or the period is given in steps, the files are named `step-000500.png`. At the end `samples/training.gif` shows
    them in order, including those before a resume. This does not change the training: the default generators and the
    mode of every module are restored.

    Args:
        watched: The training.
        every_n_epochs: The period; None chooses one that gives about fifty images in all.
        every_n_steps: The period in steps, in place of epochs.
        seed: The seed of the noise, which is the same in every image, so that the same samples can be compared.
    """

    def __init__(
        self,
        watched: Watched,
        *,
        every_n_epochs: int | None = None,
        every_n_steps: int | None = None,
        seed: int = 0,
    ) -> None:
        self.title = watched.title
        self.folder = watched.folder / "samples"
        self.spec = watched.spec
        self.held_out = functools.cache(watched.held_out)
        self.every_n_epochs = every_n_epochs
        self.every_n_steps = every_n_steps
        self.seed = seed
        self._task: Task | None = None
        self._progress = Progress()
        self._has_drawn = False
        self._waiting: list[SafePath] = []  # Pictures that may not be on the disk yet.
        self._drawn = 0  # Epoch, or step, of the newest image.

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        self._drawn = self._position()

    def on_steps(self) -> None:
        self._draw()

    def on_epoch(self) -> None:
        if self.every_n_steps is not None:
            return
        epoch = self._progress.epoch
        if epoch == 1 or epoch % (self.every_n_epochs or self._progress.epochs_between(PICTURES_PER_RUN)) == 0:
            self._draw()

    def before_checkpoint(self) -> None:
        """The pictures of the steps that it covers are never drawn again, so they must be on the disk."""
        waiting, self._waiting = self._waiting, []
        for picture in waiting:
            with contextlib.suppress(FileNotFoundError):  # Removed by the user.
                picture.sync()
        if waiting:
            sync_folder(self.folder.path)

    def on_end(self) -> None:
        """Draw the last picture, and the film; on resume too, if a kill came before they were written."""
        if self._position() > self._drawn or self._is_missing():
            self._draw()  # In the middle of an epoch the newest image is of the previous one.
        if self._has_drawn or not (self.folder / FILM).exists():
            with contextlib.suppress(OSError):  # A full disk, which the training reports itself.
                save_film(sorted(self.folder.path.glob(f"{self._unit()}-*.png")), self.folder / FILM)

    def _is_missing(self) -> bool:
        """Whether the picture of these weights is not there; in the middle of an epoch there is none."""
        progress = self._progress
        epochs = progress.total_epochs or 0
        complete = self._unit() == "step" or progress.step * epochs == progress.epoch * progress.total_steps
        return progress.step > 0 and complete and not (self.folder / self._name()).exists()

    def _unit(self) -> str:
        """The unit in the file names."""
        return "step" if self._progress.total_epochs is None or self.every_n_steps is not None else "epoch"

    def _position(self) -> int:
        return self._progress.step if self._unit() == "step" else self._progress.epoch

    def _name(self) -> str:
        """The file name of a picture drawn now."""
        return f"epoch-{self._position():04d}.png" if self._unit() == "epoch" else f"step-{self._position():06d}.png"

    def _draw(self) -> None:
        picture = self.folder / self._name()
        texts = {"epoch": "epoch {count:,}", "step": "step {count:,}"}
        time = word(texts[self._unit()], count=self._position())
        if self._draw_picture(picture, word("{title}, {time}", title=self.title, time=time)):
            self._drawn, self._has_drawn = self._position(), True
            self._waiting.append(picture)

    def _draw_picture(self, path: Target, title: str) -> bool:
        """Draw the task's samples; False if it has none that can be drawn."""
        spec = self.spec
        is_image = len(spec.input_shape) == 3
        if self._task is None or not (is_image or spec.input_shape == (2,)):
            return False
        with drawing_samples(self._task, derive_seed(self.seed, "samples")):
            made = self._task.picture(GRID_SIDE**2 if is_image else NUM_POINTS, self.held_out)
        if made is None:
            return False
        array = made.samples.detach().float().cpu().numpy()
        if is_image and made.row_names:
            table = array.reshape(len(made.row_names), -1, *array.shape[1:])
            save_figure(image_table(table, spec.input_range, made.row_names, [""] * table.shape[1], title), path)
        elif is_image:
            save_image(image_grid(array, spec.input_range, made.num_columns), path)
        else:
            save_figure(point_scatter(array, spec.centers, spec.center_std, title), path)
        return True
