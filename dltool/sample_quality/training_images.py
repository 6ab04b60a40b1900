"""The training images of a run as pixels, for comparison with samples."""

from typing import cast

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.data.dataset import Dataset
from dltool.data.image_preprocessing import ImagePreprocessing


class TrainingImages:
    """The images of the training split as pixels; they are cached once all have been requested.

    Args:
        dataset: The run's data set.
        name: Its name, for messages.

    Raises:
        ConfigError: If its samples are not images.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        self.dataset = dataset
        self.preprocessing = image_preprocessing(dataset, name)
        self._all: Tensor | None = None

    @property
    def count(self) -> int:
        return self.dataset.sizes["train"]

    def pixels_of(self, inputs: Tensor) -> Tensor:
        """Model inputs or samples `(B, C, H, W)` as uint8 pixels."""
        return self.preprocessing.pixels(inputs.float()).round().to(torch.uint8)

    def pixels(self, rows: Tensor | None = None) -> Tensor:
        """All training images, or those of some rows, uint8 `(N, C, H, W)`."""
        if self._all is not None:
            return self._all if rows is None else self._all[rows]
        requested = torch.full((self.count,), rows is None)
        if rows is not None:
            requested[rows] = True
        parts, start = [], 0
        for batch in self.dataset.evaluation("train"):
            inputs = batch.inputs[requested[start : start + batch.size].to(batch.inputs.device)]
            parts.append(self.pixels_of(inputs))
            start += batch.size
        pixels = torch.cat(parts)
        if rows is None:
            self._all = pixels
        return pixels


def image_preprocessing(dataset: Dataset, name: str) -> ImagePreprocessing:
    """The preprocessing of a data set's images. Raises ConfigError if its samples are not images."""
    if not dataset.preprocessing.gives_pixels:
        raise ConfigError(
            f"task.metrics: samples of data={name} are not images, and only images have features to compare",
            "task.metrics=null",
        )
    return cast("ImagePreprocessing", dataset.preprocessing)
