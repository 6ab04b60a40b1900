"""A picture of what augmentation does to the training images."""

import math
import warnings
from pathlib import Path

import numpy as np

from dltool.core.safe_path import SafePath
from dltool.data.batch_source import BatchSource
from dltool.engine.observer import Observer
from dltool.figures.drawing import Target, make_figure, save_figure

NUM_IMAGES = 16
WRAP = 90  # Characters of the title's lines.


class AugmentedPlot(Observer):
    """Draws `plots/augmented.png` after the first epoch, or at the end of a training that is shorter.

    It shows images of the first batch as they are, and as that batch gave them to the model, before scaling.

    Args:
        run_dir: The run folder.
        source: Of the training's batches; without augmentation there is no picture.
    """

    def __init__(self, run_dir: Path, source: BatchSource) -> None:
        self.path = SafePath(run_dir) / "plots" / "augmented.png"
        self.source = source

    def on_epoch(self) -> None:
        self.draw_once()

    def on_end(self) -> None:
        self.draw_once()

    def draw_once(self) -> None:
        """A picture that cannot be drawn must not end a training."""
        if self.source.augment is None or self.path.exists():
            return
        try:
            if examples := self.source.examples(NUM_IMAGES):
                before, after = (images.float().cpu().numpy() for images in examples)
                draw_pairs(before, after, self.path, self.source.augment.describe())
        except Exception as error:
            warnings.warn(f"plots/augmented.png could not be drawn: {error}", stacklevel=2)


def draw_pairs(before: np.ndarray, after: np.ndarray, path: Target, description: str) -> None:
    """Draw two square grids beside each other, an image at the same place in both.

    Args:
        before: `(B, C, H, W)` of 0 … 255; three channels are drawn as RGB, of others the first as grey.
        after: The same.
        path: Of the PNG; its folder is made.
        description: What was done, as the title.
    """
    import textwrap

    figure = make_figure(10, 5.6)
    figure.suptitle(textwrap.fill(description, WRAP), fontsize=11)
    for place, (title, images) in enumerate((("as they are", before), ("as the model gets them", after)), start=1):
        axes = figure.add_subplot(1, 2, place)
        axes.imshow(image_grid(images), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
    save_figure(figure, path)


def image_grid(images: np.ndarray) -> np.ndarray:
    """Images `(B, C, H, W)` in a square grid on grey, uint8 `(height, width)` or `(height, width, 3)`."""
    pixels = images.round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)  # (B, H, W, C)
    pixels = pixels if pixels.shape[3] == 3 else pixels[..., :1]
    count, height, width, channels = pixels.shape
    side, gap = math.ceil(math.sqrt(count)), max(1, height // 16)
    grid = np.full((side * (height + gap) + gap, side * (width + gap) + gap, channels), 128, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = gap + i // side * (height + gap), gap + i % side * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid.squeeze(2) if channels == 1 else grid
