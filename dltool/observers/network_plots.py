"""Pictures of a network of images, once it is trained: its first kernels, its feature maps, its mistakes."""

import copy
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.observer import Observer, Progress
from dltool.figures.drawing import Target, discard
from dltool.introspection.layers import feature_maps, first_kernels
from dltool.introspection.mistakes import Mistakes
from dltool.observers.attacked_picture import draw_attacked
from dltool.observers.feature_maps import draw_feature_maps
from dltool.observers.kernels import draw_kernels
from dltool.observers.metric_plots import draw_confusion
from dltool.observers.misclassified import draw_misclassified
from dltool.observers.receptive_field_plot import draw_receptive_fields
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Task

WORDS = {"train": "training", "val": "validation", "all": ""}


class Preprocessing(Protocol):
    """Of images: knows how what the model takes looks."""

    def pixels(self, inputs: Tensor) -> Tensor: ...


class NetworkPlots(Observer):
    """Draws plots/kernels.png, feature_maps.png, confusion.png and misclassified.png when a training ends, and
    attacked.png where it was measured under attack.

    They show the weights that the run ends with, averaged or the best where they are so tested, and what was measured
    last: the test, or the validation split where there was none. What the mistakes need is kept while a split is
    measured; a step of the training costs nothing.

    Args:
        run_dir: The run folder.
        title: What was trained, such as "lenet on digits".
        spec: Of the data.
        preprocessing: Of the images.
    """

    def __init__(self, run_dir: Path, title: str, spec: DataSpec, preprocessing: Preprocessing) -> None:
        self.folder = SafePath(run_dir) / "plots"
        self.title = title
        self.spec = spec
        self.preprocessing = preprocessing
        self._task: Task | None = None
        self._watching: Mistakes | None = None
        self._seen: tuple[str, Mistakes] | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task
        self._watching = watch_mistakes(task, self.spec)

    def on_record(self, record: dict[str, Any]) -> None:
        """An evaluation that was broken off has no record, and is not drawn."""
        if record["split"] in ("val", "test") and self._watching is not None:
            self._seen = record["split"], copy.copy(self._watching)

    def on_end(self) -> None:
        if self._task is None or self._watching is None:
            return
        model = self._task.model
        if self._seen is None:  # Nothing is held out, or the training ended before it was measured.
            image = torch.zeros(1, *self.spec.input_shape, device=next(model.parameters()).device)
            drawn(lambda path: draw_first_kernels(model, image, path, self.title), self.folder / "kernels.png")
            return
        split, mistakes = self._seen
        others = ["confusion.png"] if split == "test" and "confusion" in self._task.metrics else []  # MetricPlots
        draw_network(model, mistakes, self.folder, self.title, split, self.preprocessing, without=others)
        draw_attack(self._task, self.folder, f"{self.title}, {WORDS.get(split, split)}")


def watch_mistakes(task: Task, spec: DataSpec) -> Mistakes | None:
    """Have the task's evaluations watched; None where it is none that tells images apart."""
    if not isinstance(task, SupervisedTask) or not task.predicts_classes or len(spec.input_shape) != 3:
        return None
    mistakes = Mistakes(spec, task.criterion)
    task.watchers.append(mistakes)
    return mistakes


def draw_network(
    model: nn.Module,
    mistakes: Mistakes,
    folder: Target,
    title: str,
    split: str,
    preprocessing: Preprocessing,
    *,
    receptive_field: bool = False,
    without: Collection[str] = (),
) -> list[str]:
    """Draw what can be drawn; a picture that cannot be must not end a run.

    Args:
        model: With the weights that are to be seen.
        mistakes: After an evaluation.
        folder: Made where it is missing; pictures that would be empty are removed from it.
        title: Above each picture.
        split: What was evaluated.
        preprocessing: Of the images.
        receptive_field: Draw that of some layers too, which takes seconds for large images.
        without: Names of pictures that others draw.

    Returns:
        The names of the pictures.
    """
    examples, targets = mistakes.examples, mistakes.example_targets
    if examples is None or targets is None:
        return []
    names, word = mistakes.spec.class_names, WORDS.get(split, split)
    measured, image = f"{title}, {word}".removesuffix(", "), examples[:1]

    def maps(path: Target) -> bool:
        if layers := feature_maps(model, image):
            pixels = preprocessing.pixels(image)[0].float().cpu().numpy()
            shown = f"{title}, the first {word} image".replace("  ", " ")
            draw_feature_maps(pixels, layers, path, shown, names[int(targets[0])])
        return bool(layers)

    def confusion(path: Target) -> bool:
        if mistakes.confusion is not None:
            draw_confusion(mistakes.confusion.counts.cpu().numpy(), names, path, measured)
        return mistakes.confusion is not None

    def misclassified(path: Target) -> bool:
        if (worst := mistakes.surest()) is not None:
            pixels = preprocessing.pixels(worst.inputs).float().numpy()
            shown = f"{measured}: {mistakes.num_wrong:,} of {mistakes.num_seen:,} wrong, the surest first"
            draw_misclassified(pixels, worst, names, path, shown, has_probabilities=mistakes.has_probabilities)
        return worst is not None

    pictures: dict[str, Callable[[Target], bool]] = {
        "kernels.png": lambda path: draw_first_kernels(model, image, path, title),
        "feature_maps.png": maps,
        "confusion.png": confusion,
        "misclassified.png": misclassified,
    }
    if receptive_field:
        spec = mistakes.spec
        pictures["receptive_field.png"] = lambda path: draw_receptive_fields(model, spec, examples, path, title)
    return [name for name, draw in pictures.items() if name not in without and drawn(draw, folder / name)]


def draw_attack(task: Task, folder: Target, title: str) -> list[str]:
    """Draw what an attack made of some images in the newest evaluation; the name of the picture, if there is any."""
    if not isinstance(task, SupervisedTask):
        return []
    path = folder / "attacked.png"
    return [path.name] if drawn(lambda path: draw_attacked(task, path, title), path) else []


def draw_first_kernels(model: nn.Module, image: Tensor, path: Target, title: str) -> bool:
    """Draw the kernels of the layer that looks at an image `(1, C, H, W)`, whatever it shows; False where none does."""
    if (found := first_kernels(model, image)) is not None:
        draw_kernels(found, path, title)
    return found is not None


def drawn(draw: Callable[[Target], bool], path: Target) -> bool:
    """Whether a picture was drawn; one of an earlier end of the run, which no longer holds, is removed."""
    try:
        if draw(path):
            return True
        discard(path)
    except Exception as error:
        warnings.warn(f"{path} could not be drawn: {error}", stacklevel=2)
    return False
