"""What an autoencoder's run makes again of raw samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import quoted
from dltool.data.preprocessing import Preprocessing
from dltool.data.raw_inputs import Raw
from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.figures.tiles import colors, tiled
from dltool.inference.loaded_run import LoadedRun
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.uses import reconstructs

COLUMNS = 12
INCHES = 0.85  # Of an image.


@dataclass(frozen=True)
class Reconstruction:
    """Samples and what is left of them after their way through a code.

    Attributes:
        names: What each sample is called, such as its file.
        originals: As the model takes them, on the CPU, `(N, *input_shape)`.
        reconstructions: Of the same shape.
        codes: Between the two, `(N, latent_dim)`.
        title: Of the run.
    """

    names: list[str]
    originals: Tensor
    reconstructions: Tensor
    codes: Tensor
    title: str
    _preprocessing: Preprocessing

    def draw(self, path: str | Target) -> None:
        """Draw rows of images, below each its reconstruction.

        Raises:
            ConfigError: The samples are no images, or the file cannot be written.
        """
        target = Path(path).expanduser() if isinstance(path, str) else path
        if not self._preprocessing.gives_pixels:
            raise ConfigError(
                "rows of numbers are no picture", "in Python: dltool.load(RUN).reconstruct(FILE).reconstructions"
            )
        pairs = [pictures(self._preprocessing.pixels(part)) for part in (self.originals, self.reconstructions)]
        rows = [part[start : start + COLUMNS] for start in range(0, len(self.originals), COLUMNS) for part in pairs]
        try:
            draw_rows(rows, target, self.title)
        except (OSError, ValueError) as error:  # Of a suffix that is no picture's.
            raise ConfigError(f"{target} cannot be written: {error}", "--output FILE.png") from error


def reconstruct_run(run: LoadedRun, inputs: Raw, classes: Sequence[str] | None = None) -> Reconstruction:
    """See Run.reconstruct."""
    task = run.task
    if not reconstructs(task):
        raise ConfigError(
            f"{run.title} has no codes from which it could make its inputs again",
            f"dltool sample or dltool predict {quoted(run.path)}; model=autoencoder and model=vae reconstruct",
        )
    names: list[str] = []
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    with evaluation_mode(task.model), torch.no_grad(), run.autocast:
        for batch_names, batch in run.preprocessing.read(inputs, run.batch_size):
            given = None if classes is None else classes[len(names) : len(names) + len(batch_names)]
            labels = labels_of(batch_names, given, run) if task.num_classes else None
            batch = batch.to(run.device)
            names += batch_names
            codes = task.codes(batch, labels)
            parts.append((batch.cpu(), task.decode(codes, labels).cpu(), codes.cpu()))
    if not parts:
        raise DataError("there is no input to reconstruct")
    originals, reconstructions, codes = map(torch.cat, zip(*parts, strict=True))
    return Reconstruction(names, originals, reconstructions, codes, run.title, run.preprocessing)


def labels_of(names: Sequence[str], classes: Sequence[str] | None, run: LoadedRun) -> Tensor:
    """The class of each sample, which a conditional model wants to know: as given, else its folder's name.

    Raises:
        DataError: There is no such class, or none is known.
    """
    classes = [Path(name).parent.name for name in names] if classes is None else classes
    if len(classes) != len(names):
        raise DataError(f"{len(names)} samples have {len(classes)} classes", "one a sample")
    for name, class_name in zip(names, classes, strict=True):
        if class_name not in run.class_names:
            shown = ", ".join(run.class_names[:8]) + (" …" if run.class_names[8:] else "")
            raise DataError(
                f"{name}: the model is conditional, and {class_name or 'its folder'} is none of its classes, {shown}",
                "each image in a folder with its class's name; in Python, run.reconstruct(inputs, classes=[…])",
            )
    return torch.tensor([run.class_names.index(name) for name in classes], device=run.device)


def pictures(pixels: Tensor) -> list[np.ndarray]:
    """Images `(N, C, H, W)` of 0 … 255, each as `(H, W, 3)` of 0 … 1."""
    return list(colors(pixels.float().numpy()))


def draw_rows(rows: Sequence[Sequence[np.ndarray]], path: Target, title: str) -> None:
    """Draw rows of images, of which every second one shows what became of the one above it."""
    import matplotlib

    tiles = tiled(rows, (rows[0][0].shape[0], rows[0][0].shape[1]), gap=0.1)
    scale = INCHES / max(tiles.height, tiles.width)
    with fonts_for(title), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(max(tiles.pixels.shape[1] * scale + 1.6, 4.5), tiles.pixels.shape[0] * scale + 0.7)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        labels = ["original", "reconstruction"] * (len(rows) // 2)
        axes.set_yticks([tiles.middle(i, 0)[0] for i in range(len(rows))], labels)
        axes.tick_params(length=0)
        figure.suptitle(title, fontsize=12)
        save_figure(figure, path)
