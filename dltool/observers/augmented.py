"""A figure of augmented training images."""

import warnings

from dltool.core.notices import FigureWarning
from dltool.data.batch_source import BatchSource
from dltool.engine.observer import Observer, Watched
from dltool.figures.augmentation import augmented_images
from dltool.figures.saving import save_figure

NUM_IMAGES = 16


class AugmentedPlot(Observer):
    """Draws `plots/augmented.png` after the first epoch, or at the end of a training that is shorter.

    It shows images of the first batch before augmentation, and as the model got them, before scaling.

    Args:
        watched: The training.
        source: The source of its batches; without augmentation nothing is drawn.
    """

    def __init__(self, watched: Watched, source: BatchSource) -> None:
        self.path = watched.folder / "plots" / "augmented.png"
        self.source = source

    def on_epoch(self) -> None:
        self.draw_once()

    def on_end(self) -> None:
        self.draw_once()

    def draw_once(self) -> None:
        """Draw the figure unless it exists. A figure that cannot be drawn must not end a training."""
        if self.source.augment is None or self.path.exists():
            return
        try:
            if examples := self.source.examples(NUM_IMAGES):
                before, after = (images.float().cpu().numpy() for images in examples)
                save_figure(augmented_images(before, after, self.source.augment.describe()), self.path)
        except Exception as error:
            warnings.warn(f"plots/augmented.png could not be drawn: {error}", FigureWarning, stacklevel=2)
