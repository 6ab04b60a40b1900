"""A picture of images, of what an attack adds to them, and of what comes of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.figures.tiles import colors, tiled
from dltool.observers.misclassified import fitting
from dltool.tasks.supervised import SupervisedTask

if TYPE_CHECKING:
    from torch import Tensor

INCHES = 1.3  # Of an image.
LEAST = 1 / 255  # Of a change that is shown in black and white; less is hardly one.
RIGHT, WRONG = "#2a7f3f", "#c23b22"


def draw_attacked(task: SupervisedTask, path: Target, title: str = "") -> bool:
    """Draw the first samples of the task's newest evaluation in three rows: clean, perturbation, attacked.

    The perturbation is grey where nothing changes, brighter and darker where the image becomes so, and amplified until
    its largest change is black or white.

    Args:
        task: After an evaluation.
        path: Of the PNG; its folder is made.
        title: Above the images.

    Returns:
        Whether there was anything to draw, which is so where the evaluation was under attack.
    """
    examples = task.attacked_examples
    if examples is None:
        return False
    import matplotlib

    clean, moved = (pixels.float().cpu().numpy() for pixels in (examples.clean, examples.attacked))
    change = moved - clean
    factor = 0.5 / max(float(np.abs(change).max()), LEAST)
    seen = (255 * clean, 255 * (0.5 + factor * change), 255 * moved)
    names = task.spec.class_names
    said = [captions(task, outputs, names) for outputs in (examples.clean_outputs, examples.attacked_outputs)]
    true = [names[label] for label in examples.targets.tolist()]
    tiles = tiled([list(colors(images)) for images in seen], clean.shape[2:], gap=0.22)
    with fonts_for(title, *names), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        scale = INCHES / max(tiles.height, tiles.width)
        across, down = tiles.pixels.shape[1] * scale, tiles.pixels.shape[0] * scale
        figure = make_figure(max(across + 1.3, 6.0), down + 1.5)
        axes = figure.add_subplot()
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
        for row, word in enumerate(("clean", f"change\n× {factor:.3g}", "attacked")):
            middle = tiles.middle(row, 0)[0]
            axes.text(-0.1 / scale, middle, word, ha="right", va="center", fontsize=11)
        for row, texts in ((0, said[0]), (2, said[1])):
            for column, (label, text) in enumerate(texts):
                top, left = tiles.corner(row, column)
                middle, below = left + tiles.width / 2, top + tiles.height + 0.03 / scale
                color = RIGHT if names[label] == true[column] else WRONG
                axes.text(middle, below, text, ha="center", va="top", color=color, fontsize=9)
        figure.suptitle(title, fontsize=13)
        surely = ", and with which probability" if said[0][0][1].endswith(" %") else ""
        legend = f"what each is taken for{surely}; green: rightly, red: wrongly"
        figure.supxlabel(legend, fontsize=10, color="#808080")
        save_figure(figure, path)
    return True


def captions(task: SupervisedTask, outputs: "Tensor", names: Sequence[str]) -> list[tuple[int, str]]:
    """The predicted label of each output, and what is written below its image."""
    said = task.interpret(outputs)
    assert said.labels is not None
    labels: list[int] = said.labels.tolist()
    if said.probabilities is None:
        return [(label, fitting(names[label])) for label in labels]
    sure = said.probabilities.amax(1).tolist()
    return [(label, f"{fitting(names[label])}  {100 * share:.0f} %") for label, share in zip(labels, sure, strict=True)]
