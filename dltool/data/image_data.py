"""Images, as one uint8 tensor a split."""

from collections.abc import Mapping
from typing import Any, Literal

from dltool.component import Positive, Probability
from dltool.data.arrays import RawData
from dltool.data.augment import Augmentation
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.preprocessing import Preprocessing
from dltool.data.resize import choose_size, describe, is_padding, resize_images
from dltool.data.sample_data import LoadFunction, ScaledData
from dltool.data.scaling import GivenStatistics, Scaling
from dltool.data.scaling import pixel_scaling as fit_pixel_scaling
from dltool.errors import DataError


class ImageData(ScaledData):
    """Images, resized once when they are loaded; augmented and scaled a batch at a time.

    Args:
        load: Loads the data.
        resize: Side of the square, or [height, width], that images are brought to: a size at most 4 pixels
            larger by padding with background, any other by interpolation. "auto" changes only images that
            are smaller than the model's least size, to its native size; null changes none.
        mean, std: What "standardize" takes for each channel, as a recipe or a set of weights states it for pixels in
            [0, 1]; null computes both from the training split.
        augment: How training images vary; see Augmentation.
        shared: What every data set takes; see ScaledData.
    """

    preprocessing: ImagePreprocessing

    def __init__(
        self,
        load: LoadFunction,
        *,
        resize: Literal["auto"] | Positive[int] | list[Positive[int]] | None = "auto",
        mean: list[Probability[float]] | None = None,
        std: list[Positive[float]] | None = None,
        augment: Augmentation = Augmentation(),  # noqa: B008 (frozen)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.resize = resize
        self.given_statistics = GivenStatistics.of(mean, std, self.scaling)
        self.augment = augment

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        shape = tuple(self.splits["train"].inputs.shape[1:])
        if len(shape) != 3:
            raise DataError(f"images are (N, C, H, W), not samples of the shape {shape}")
        old = (shape[1], shape[2])
        new = choose_size(old, self.resize, model_traits)
        if self.resize == "auto":
            self.choices["data.resize"] = None if new == old else list(new)
        self._augmenter = self.augment.augmenter(new)
        if self.augment.shift == "auto":
            self.choices["data.augment.shift"] = self._augmenter.settings.shift
        if new == old:
            return
        verb = "padded" if is_padding(old, new) else "resized"
        reason = " (the model's native size)" if self.resize == "auto" else ""
        self.notes.append(f"{describe(old)} images {verb} to {describe(new)}{reason}")
        self._replace_inputs(
            {name: resize_images(split.inputs, new, self.device) for name, split in self.splits.items()}
        )

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        assert self._augmenter is not None
        self.notes += self._augmenter.notes(generative=pixel_scaling is not None)
        images = self.splits["train"].inputs
        if self.given_statistics is not None:
            self._chosen_scaling("standardize")
            scaling = self.given_statistics.pixel_scaling(images.shape[1], self.device)
        else:
            mode = self._chosen_scaling(pixel_scaling or "standardize")
            scaling = fit_pixel_scaling(images, mode, self.device)
        self._scale_batch = scaling
        raw_size = (raw.train.inputs.shape[2], raw.train.inputs.shape[3])
        self.preprocessing = ImagePreprocessing.of(scaling, raw_size, (images.shape[2], images.shape[3]))
        return scaling.input_range

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, ImagePreprocessing):
            raise DataError(f"{raw.origin} gives images, and the run was trained on rows of numbers")
        self.preprocessing = self._scale_batch = preprocessing
