"""Pictures of the test split: which class was taken for which, and whether the model is as sure as it is right."""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltool.core.safe_path import SafePath
from dltool.engine.observer import Observer, Progress
from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.metrics.calibration import CalibrationError
from dltool.metrics.confusion import Confusion
from dltool.metrics.metric import Metric
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.axes import Axes

NUMBERS_UP_TO = 30  # Classes; with more, the numbers would be too small to read.
LABELS_UP_TO = 120  # Classes; with more, every n-th one has its name.
LONGEST_LABEL = 24
GAMMA = 0.5  # Of the colors, so that a class that is wrong in 2 % of its samples is seen.


class MetricPlots(Observer):
    """Draws plots/confusion.png and plots/reliability.png of the final test, where `task.metrics` asks for them.

    Args:
        run_dir: The run folder.
        title: What was trained, such as "lenet on digits".
        class_names: In the order of the classes.
    """

    def __init__(self, run_dir: Path, title: str, class_names: Sequence[str]) -> None:
        self.folder = SafePath(run_dir) / "plots"
        self.title = title
        self.class_names = class_names
        self._task: Task | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task = task

    def on_record(self, record: dict[str, Any]) -> None:
        """The metrics still hold the sums of the split whose record this is."""
        if record["split"] != "test" or self._task is None:
            return
        draw_metrics(self._task.metrics, self.folder, self.title, self.class_names)


def draw_metrics(metrics: Mapping[str, Metric], folder: Target, title: str, class_names: Sequence[str]) -> list[str]:
    """Draw what the metrics have seen, as far as it can be drawn; a picture that cannot be must not end a run.

    Args:
        metrics: After an evaluation.
        folder: Made where it is missing.
        title: Above each picture.
        class_names: In the order of the classes.

    Returns:
        The names of the pictures.
    """
    drawn = []
    for metric in metrics.values():
        try:
            if isinstance(metric, Confusion):
                name = "confusion.png"
                draw_confusion(metric.counts.cpu().numpy(), class_names, folder / name, title)
            elif isinstance(metric, CalibrationError):
                name = "reliability.png"
                draw_reliability(metric.sums.numpy(), folder / name, title)
            else:
                continue
            drawn.append(name)
        except Exception as error:
            warnings.warn(f"{folder / name} could not be drawn: {error}", stacklevel=2)
    return drawn


def draw_confusion(counts: np.ndarray, class_names: Sequence[str], path: Target, title: str = "") -> None:
    """Draw a confusion matrix, each row colored by the shares of its class.

    Args:
        counts: `(K, K)`, true class by predicted class.
        class_names: K of them.
        path: Of the PNG.
        title: Above the matrix, before the accuracy.
    """
    import matplotlib
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import PercentFormatter

    num_classes, total = len(counts), counts.sum()
    cell = 0.55 if num_classes <= 12 else 0.42 if num_classes <= NUMBERS_UP_TO else 0.15  # Inches.
    side = min(max(cell * num_classes, 2.2), cell * LABELS_UP_TO)
    names = [name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…" for name in class_names]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with fonts_for(title, *names), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        margin = 0.008 * label_size(num_classes) * max(map(len, names))  # Inches.
        figure = make_figure(side + 2.1 + margin, side + 1.3 + margin)
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(GAMMA, 0, 1), interpolation="nearest")
        label_classes(axes, names)
        if num_classes <= NUMBERS_UP_TO:
            write_counts(axes, counts, shares)
        axes.set_title(f"{title}: {np.trace(counts):,} of {total:,} right", loc="left")
        bar = figure.colorbar(image, ax=axes, shrink=0.7, format=PercentFormatter(1), ticks=[0, 0.05, 0.2, 0.5, 1])
        bar.set_label("share of the true class")
        save_figure(figure, path)


def label_classes(axes: "Axes", names: Sequence[str]) -> None:
    """Put the names along both axes, upright below where they are long, every n-th where they are many."""
    places = range(0, len(names), math.ceil(len(names) / LABELS_UP_TO))
    labels = [names[i] for i in places]
    size = label_size(len(names))
    upright = len(names) > NUMBERS_UP_TO or max(map(len, labels)) > 4
    axes.set_xticks(places, labels, rotation=90 if upright else 0, fontsize=size)
    axes.set_yticks(places, labels, fontsize=size)
    axes.tick_params(length=0 if len(names) <= NUMBERS_UP_TO else 2)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.spines[:].set_visible(True)


def label_size(num_classes: int) -> int:
    """Points of the classes' names."""
    return 10 if num_classes <= NUMBERS_UP_TO else 7


def write_counts(axes: "Axes", counts: np.ndarray, shares: np.ndarray) -> None:
    """Write the numbers into the cells; a 0 is left out."""
    digits = len(str(counts.max()))
    size = min(10.0, (38 if len(counts) <= 12 else 30) / max(digits, 2.5))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] ** GAMMA > 0.6 else "black"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=size, color=color)


def draw_reliability(sums: np.ndarray, path: Target, title: str = "") -> None:
    """Draw the accuracy of each bin of confidence over the diagonal, and how many samples the bins have.

    Args:
        sums: As in CalibrationError, `(3, bins)`.
        path: Of the PNG.
        title: Above the diagram, before the calibration error.
    """
    import matplotlib

    counts, right, confidence = sums
    num_bins, filled = len(counts), counts > 0
    error = np.abs(right - confidence).sum() / counts.sum()
    middles = (np.arange(num_bins) + 0.5) / num_bins
    with fonts_for(title), matplotlib.rc_context(STYLE):
        figure = make_figure(5.6, 6.4)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        accuracy = right[filled] / counts[filled]
        upper.bar(middles[filled], accuracy, 0.9 / num_bins, color="#1f77b4", label="accuracy")
        upper.plot(confidence[filled] / counts[filled], accuracy, "o", color="#ff7f0e", label="at the mean confidence")
        upper.plot([0, 1], [0, 1], "--", color="#808080", linewidth=1.2, label="calibrated")
        upper.set_ylim(0, 1.03)
        upper.set_ylabel("accuracy")
        upper.set_title(f"{title}: calibration error {error:.4f}", loc="left", pad=26)
        upper.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        lower.bar(middles, counts / counts.sum(), 0.9 / num_bins, color="#a6c8e4")
        lower.set_ylabel("share of samples")
        lower.set_xlabel("confidence")
        lower.set_xlim(0, 1)
        save_figure(figure, path)
