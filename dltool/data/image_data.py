"""Images, as one uint8 tensor per split."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.randomness import generator
from dltool.data.arrays import RawData
from dltool.data.augment import Augmentation
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.image_statistics import ImageStatistics, sampled
from dltool.data.memory import fits_resized
from dltool.data.preprocessing import Preprocessing
from dltool.data.resize import Size, choose_size, describe, is_padding, resize_images, unpadded
from dltool.data.sample_data import LoadFunction
from dltool.data.scaled_data import ScaledData
from dltool.data.scaling import STATISTICS_FROM, GivenStatistics, Scaling
from dltool.data.scaling import pixel_scaling as fit_pixel_scaling
from dltool.declarations.component import Handling, Placement, Positive, Probability

ResizeAt = Literal["loading", "batch"]


class ImageData(ScaledData):
    """Images, resized once when they are loaded or a batch at a time; augmented and scaled a batch at a time.

    Args:
        load: Loads the data.
        resize: Side of the square, or [height, width], that images are resized to: a size at most 4 pixels larger by
            padding with background, any other by interpolation. "auto" changes only images that are smaller than the
            model's smallest size, to its native size; null changes none.
        resize_at: When images are resized: once, at "loading", or for each "batch", which takes less memory and gives
            the same pixels. "auto" keeps resized images in memory if they take at most 1 GiB, a quarter of the device's
            free memory and half of the host's available memory.
        mean, std: The statistics of "standardize" for each channel, as a recipe or pretrained weights state them for
            pixels in [0, 1]; null computes both from the training split.
        augment: Augmentation of training images; see Augmentation.
        shared: Arguments of every data set; see ScaledData.
    """

    preprocessing: ImagePreprocessing

    def __init__(
        self,
        load: LoadFunction,
        *,
        resize: Handling[Literal["auto"] | Positive[int] | list[Positive[int]] | None] = "auto",
        resize_at: Placement[Literal["auto", "loading", "batch"]] = "auto",
        mean: Handling[list[Probability[float]] | None] = None,
        std: Handling[list[Positive[float]] | None] = None,
        augment: Handling[Augmentation] = Augmentation(),  # noqa: B008 (frozen)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.resize = resize
        self.resize_at = resize_at
        self.given_statistics = GivenStatistics.of(mean, std, self.scaling)
        self.augment = augment

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 3:
            raise DataError(f"images are (N, C, H, W), not samples of the shape {shape}")
        old = (shape[1], shape[2])
        self._size = new = choose_size(old, self.resize, model_traits)
        if self.resize == "auto":
            self.choices["data.resize"] = None if new == old else list(new)
        self._augmenter = self.augment.augmenter(new, self._own_augmentation)
        if self.augment.shift == "auto":
            self.choices["data.augment.shift"] = self._augmenter.settings.shift
        if new == old:
            return
        verb = "padded" if is_padding(old, new) else "resized"
        reason = " (the model's native size)" if self.resize == "auto" else ""
        self._resize(new, f"{describe(old)} images {verb} to {describe(new)}{reason}")

    def _resize(self, size: Size, note: str) -> None:
        """Resize all images now, or have each batch resized."""
        num_bytes = sum(len(split) * split.inputs.shape[1] for split in self.splits.values()) * size[0] * size[1]
        if self._choose_resize_at(num_bytes) == "loading":
            self.notes.append(note)
            self._replace_inputs(
                {name: resize_images(split.inputs, size, self.device) for name, split in self.splits.items()}
            )
        else:
            self.notes.append(f"{note}, a batch at a time: all take {num_bytes / 2**30:.2g} GiB (data.resize_at)")
            self._resize_batch = partial(resize_images, size=size, device=self.device)

    def _choose_resize_at(self, num_bytes: int) -> ResizeAt:
        """When to resize images that take `num_bytes` afterwards."""
        if self.resize_at != "auto":
            return self.resize_at
        chosen: ResizeAt = "loading" if fits_resized(num_bytes, self.device) else "batch"
        self.choices["data.resize_at"] = chosen
        return chosen

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        assert self._augmenter is not None
        self.notes += self._augmenter.notes(generative=pixel_scaling is not None)
        images = self.splits["train"].inputs
        if self.given_statistics is not None:
            self._chosen_scaling("standardize")
            scaling = self.given_statistics.pixel_scaling(images.shape[1], self.device)
        else:
            mode = self._chosen_scaling(pixel_scaling or "standardize")
            if self._approximate and self._resize_batch is not None:
                rows = torch.randperm(len(images), generator=generator(self.split_seed, "statistics"))
                images = images[rows[:STATISTICS_FROM]]
                self.notes.append(f"scaled by statistics of {len(images):,} training images; training uses all")
            scaling = fit_pixel_scaling(images, mode, self.device, self._resize_batch)
        self._scale_batch = scaling
        raw_size = (raw.train.inputs.shape[2], raw.train.inputs.shape[3])
        seen = self.resized(sampled(self.splits["train"].inputs))  # The same whether they are resized already.
        statistics = ImageStatistics.of(unpadded(seen, raw_size), frozenset([raw_size]))
        self.preprocessing = ImagePreprocessing.of(scaling, raw_size, self._size, statistics=statistics)
        return scaling.input_range

    def resized(self, inputs: Tensor) -> Tensor:
        return resize_images(inputs, self._size, self.device)

    def _input_shape(self) -> tuple[int, ...]:
        return self.splits["train"].inputs.shape[1], *self._size

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, ImagePreprocessing):
            raise DataError(f"{raw.origin} has images, but the run was trained on rows of numbers")
        self.preprocessing = self._scale_batch = preprocessing
        self._size = preprocessing.size
