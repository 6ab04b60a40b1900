"""Images in files, decoded once into memory if they fit, else again for each batch."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import DataError, RunError
from dltool.core.notices import DltoolWarning
from dltool.core.randomness import generator
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split
from dltool.data.augment import Augmentation
from dltool.data.batch_source import IsOwn
from dltool.data.file_source import FileSource, evaluation_batches
from dltool.data.image_copies import copy_notes
from dltool.data.image_files import FAINT, Decoder, choose_workers
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.image_statistics import ImageStatistics, distortion
from dltool.data.memory import fits_device, fits_host
from dltool.data.preprocessing import Preprocessing
from dltool.data.resize import Size, choose_size, describe
from dltool.data.sample_data import LoadFunction
from dltool.data.scaled_data import ScaledData
from dltool.data.scaling import STATISTICS_FROM, GivenStatistics, PixelScaling, Scaling
from dltool.data.scaling import pixel_scaling as fit_pixel_scaling
from dltool.data.source import TrainSource
from dltool.declarations.component import Handling, NonNegative, Placement, Positive, Probability

LARGEST_OWN_SIZE = 256  # Images that all have the same size keep it, up to this one.
USUAL_SIDE = 64  # For a model that takes any size.
LISTED = 20
NAMED = 3  # Files in an error.
SKIP = "fix or remove it, or data.corrupt=skip to train without it"


class FolderData(ScaledData):
    """Images in files of any size and mode, decoded by worker processes to one size.

    Args:
        load: Finds the files.
        size: Side of the square, or [height, width], that images are decoded to. "auto" is their own size if all have
            the same, it is at most 256×256 and the model can take it; else the model's photo_size, its native size, or
            64×64.
        fit: How an image of another aspect ratio is fitted: "crop" scales it until its shorter side fits and cuts off
            both ends of the longer one, "squash" changes its aspect ratio.
        corrupt: "refuse" raises an error for a file that cannot be decoded, "skip" leaves it out and lists it in
            skipped.txt.
        max_skip: The most files that "skip" may leave out; more are an error. null sets no limit.
        workers: Processes that decode; "auto" is one for each core, and none for less than 256 images.
        timeout: Seconds after which a worker that does not answer, such as a stopped one, ends the training.
        residency: As for other data, and "loader": images are decoded again for each batch. "auto" keeps them decoded
            on the device if they take at most a quarter of its free memory, else on the host if they take at most half
            of its available memory. With "loader", the scaling is fitted to 4,096 of the training images.
        mean, std: The statistics of "standardize" for each channel, as a recipe or pretrained weights state them for
            pixels in [0, 1]; null computes both from the training split.
        augment: Augmentation of training images; see Augmentation.
        shared: Arguments of every data set; see ScaledData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        size: Handling[Literal["auto"] | Positive[int] | list[Positive[int]]] = "auto",
        fit: Handling[Literal["crop", "squash"]] = "crop",
        corrupt: Handling[Literal["refuse", "skip"]] = "refuse",
        max_skip: Handling[NonNegative[int] | None] = None,
        workers: Placement[Literal["auto"] | NonNegative[int]] = "auto",
        timeout: Placement[Positive[float]] = 300.0,
        residency: Placement[Literal["auto", "device", "host", "loader"]] = "auto",
        mean: Handling[list[Probability[float]] | None] = None,
        std: Handling[list[Positive[float]] | None] = None,
        augment: Handling[Augmentation] = Augmentation(),  # noqa: B008 (frozen)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.size = size
        self.fit = fit
        self.corrupt = corrupt
        self.max_skip = max_skip
        self.workers = workers
        self.timeout = timeout
        self.requested_residency = residency
        self.given_statistics = GivenStatistics.of(mean, std, self.scaling)
        self.augment = augment
        self.skipped: dict[int, str] = {}
        self._sampled: Tensor | None = None

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        """Choose size and residency; decode everything, unless each batch is decoded later."""
        assert self._files is not None
        self.notes += self._files.notes
        self.skipped.clear()
        self._sampled = None
        self.splits = {name: replace(split, rows=split.inputs) for name, split in self.splits.items()}
        size = self._choose_size(model_traits)
        workers = choose_workers(self.workers, self._files)
        if self.workers == "auto":
            self.choices["data.workers"] = workers
        self.decoder = Decoder(self._files, size, self.fit, workers, timeout=self.timeout)
        self.placed = self._choose_residency()
        self._augmenter = self.augment.augmenter(size, self._own_augmentation)
        if self.augment.shift == "auto":
            self.choices["data.augment.shift"] = self._augmenter.settings.shift
        if self.placed == "loader":
            self._leave_out_empty_files()
            self.notes.append(f"images are decoded for each batch by {workers} workers")
        else:
            self._decode_all()

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, ImagePreprocessing):
            raise DataError(f"{raw.origin} has images, but the run was trained on rows of numbers")
        assert raw.files is not None
        self._files = replace(raw.files, channels=preprocessing.channels)
        self.size, self.fit = list(preprocessing.raw_size), preprocessing.fit
        self._shape({})
        self.preprocessing = self._scale_batch = preprocessing

    def _hash_inputs(self, inputs: Tensor, order: Tensor, update: Callable[[bytes], None]) -> None:
        if inputs.dtype == torch.uint8:
            super()._hash_inputs(inputs, order, update)
            return
        assert self._files is not None  # Inputs are indices of files, which are hashed by name, size and time.
        for row in inputs[order].tolist():
            about = os.stat(self._files.path(row))  # noqa: PTH116 (a Path takes 4 times as long)
            update(f"{self._files.paths[row]} {about.st_size} {about.st_mtime_ns}\n".encode())

    def _choose_size(self, model_traits: Mapping[str, Any]) -> tuple[int, int]:
        assert self._files is not None
        own = self._files.common_size()
        if self.size != "auto":
            size = choose_size((0, 0), self.size, model_traits)
            self._note_size(own, size)
            return size
        if own is not None and max(own) <= LARGEST_OWN_SIZE:
            size = choose_size(own, "auto", model_traits)
        else:
            native = model_traits.get("photo_size") or model_traits.get("native_size")
            side = native or max(USUAL_SIDE, model_traits.get("min_size") or 1)
            size = (side, side)
        self.choices["data.size"] = list(size)
        self._note_size(own, size)
        return size

    def _note_size(self, own: Size | None, size: Size) -> None:
        """Note the size of the files' images, None for many, and the size that they are decoded to."""
        assert self._files is not None
        what = "images of many sizes" if own is None else f"{describe(own)} images"
        cut = "the middle of each" if self.fit == "crop" else "all of each"
        kept = f"all images are {describe(size)} and are not resized (data.size)"
        self.notes.append(kept if size == own else f"{what} resized to {describe(size)}, {cut} (data.size, data.fit)")
        if count := self._files.animated():
            self.notes.append(f"{count:,} or more files have several frames: only the first of each is used")
        if 0 < (largest := self._files.largest_of_16_bits()) < FAINT:
            self.notes.append(
                f"files of 16 bits have values of at most {largest:,} of 65,535, and become {largest // 257} of 255: "
                "scale them to the whole range first"
            )

    def _choose_residency(self) -> str:
        residency = self.requested_residency
        if residency == "auto":
            num_bytes = sum(self.sizes.values()) * self.decoder.image_bytes
            residency = "device" if fits_device(num_bytes, self.device) else "host"
            residency = residency if fits_host(num_bytes) else "loader"
            self.choices["data.residency"] = residency
        return residency

    def _decode_all(self) -> None:
        """Replace the indices of files by their images, in one pass over all splits."""
        assert self._files is not None
        names = list(self.splits)
        rows = torch.cat([self.splits[name].inputs for name in names])
        images, reasons = self.decoder.decode_all(rows)
        self._handle_corrupt({int(rows[place]): reason for place, reason in reasons.items()}, DataError)
        good = torch.ones(len(rows), dtype=torch.bool)
        good[list(reasons)] = False
        sizes = [len(self.splits[name]) for name in names]
        for name, part, kept in zip(names, images.split(sizes), good.split(sizes), strict=True):
            split = replace(self.splits[name], inputs=part)
            self.splits[name] = split if kept.all() else split.select(kept.nonzero().squeeze(1))
        self._check_not_empty()
        self.notes += copy_notes(self.splits, self._files.paths.__getitem__)

    def _leave_out_empty_files(self) -> None:
        """Leave out empty files, which are detected without decoding."""
        assert self._files is not None
        for name, split in self.splits.items():
            rows = split.inputs.tolist()
            empty = [row for row in rows if Path(self._files.path(row)).stat().st_size == 0]
            self._handle_corrupt(dict.fromkeys(empty, "it is empty, 0 bytes"), DataError)
            if empty:
                self.splits[name] = split.select(torch.tensor([i for i, row in enumerate(rows) if row not in empty]))
        self._check_not_empty()

    def _check_not_empty(self) -> None:
        for name, split in self.splits.items():
            if len(split) == 0:
                raise DataError(f"no image of the {name} split can be decoded", "data.corrupt=refuse names them")

    def _handle_corrupt(self, reasons: dict[int, str], error: type[DataError | RunError]) -> None:
        """Raise an error for files that cannot be decoded, or note them."""
        assert self._files is not None
        named = [f"{self._files.path(row)}: {reason}" for row, reason in reasons.items() if row not in self.skipped]
        if not named:
            return
        if self.corrupt == "refuse":
            more = f" (and {len(named) - 1:,} more files)" if named[1:] else ""
            raise error(f"{named[0]}{more}", SKIP)
        self.skipped |= reasons
        if self.max_skip is not None and len(self.skipped) > self.max_skip:
            raise error(
                f"{len(self.skipped):,} images cannot be decoded, more than data.max_skip={self.max_skip}; among them "
                + "; ".join(named[:NAMED]),
                f"fix or remove them, or {setting('data.max_skip', len(self.skipped))}",
            )
        self.notes.append(f"{len(named):,} images cannot be decoded and are left out (data.corrupt=skip):")
        self.notes += [f"  {line}" for line in named[:LISTED]]
        if named[LISTED:]:
            self.notes.append(f"  … and {len(named) - LISTED:,} more")

    def _skip_while_running(self, reasons: dict[int, str]) -> None:
        known = len(self.notes)
        self._handle_corrupt(reasons, RunError)
        if self.notes[known:]:  # The notes of the start were already printed.
            warnings.warn("\n".join(self.notes[known:]), DltoolWarning, stacklevel=2)

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        assert self._augmenter is not None
        self.notes += self._augmenter.notes(generative=pixel_scaling is not None)
        if self.given_statistics is not None:
            self._chosen_scaling("standardize")
            scaling = self.given_statistics.pixel_scaling(self.decoder.files.channels, self.device)
        else:
            scaling = self._fit_scaling(self._chosen_scaling(pixel_scaling or "standardize"))
        self._scale_batch = scaling
        size = self.decoder.size
        self.preprocessing = ImagePreprocessing.of(scaling, size, size, self.fit, self._statistics())
        self._sampled = None
        return scaling.input_range

    def _statistics(self) -> ImageStatistics | None:
        """The appearance of the training images; None if none of them is decoded yet."""
        images = self._sampled if self.placed == "loader" else self.splits["train"].inputs
        if images is None:
            return None
        sizes = self.decoder.files.sizes
        changes = [distortion(size, self.decoder.size) for size in sizes] if self.fit == "squash" else []
        return ImageStatistics.of(images, sizes, max(changes, default=1.0))

    def _fit_scaling(self, mode: Scaling) -> PixelScaling:
        images = self.splits["train"].inputs
        if self.placed == "loader":
            images = self._sample(images) if mode == "standardize" else torch.zeros(1, *self._input_shape())
        return fit_pixel_scaling(images, mode, self.device)

    def _sample(self, rows: Tensor) -> Tensor:
        """A fixed sample of the training images, without those that cannot be decoded."""
        chosen = rows[torch.randperm(len(rows), generator=generator(self.split_seed, "statistics"))[:STATISTICS_FROM]]
        images, reasons = self.decoder.decode_all(chosen)
        self._handle_corrupt({int(chosen[place]): reason for place, reason in reasons.items()}, DataError)
        good = torch.ones(len(chosen), dtype=torch.bool)
        good[list(reasons)] = False
        self._sampled = images[good]
        return self._sampled

    def skipped_files(self) -> dict[str, str]:
        assert self._files is not None
        return {self._files.path(row): reason for row, reason in self.skipped.items()}

    def merge_skipped(self, gather: Callable[[Any], list[Any]]) -> None:
        for skipped in gather(self.skipped):
            self.skipped |= skipped

    def _place(self) -> None:
        if self.placed == "device":
            self._replace_inputs({name: split.inputs.to(self.device) for name, split in self.splits.items()})

    def _input_shape(self) -> tuple[int, ...]:
        return self.decoder.files.channels, *self.decoder.size

    def sample_names(self, split: str) -> list[str]:
        """The path of each image, below the root."""
        assert self._files is not None
        return [self._files.paths[row] for row in self.splits[split].places.tolist()]

    def _make_source(self, **settings: Any) -> TrainSource:
        if self.placed != "loader":
            return super()._make_source(**settings)
        return FileSource(self.splits["train"], decoder=self.decoder, on_corrupt=self._skip_while_running, **settings)

    def _evaluation_batches(self, split: Split, is_own: IsOwn) -> Iterator[Batch | None]:
        if self.placed != "loader":
            return super()._evaluation_batches(split, is_own)
        assert self._scale_batch is not None
        return evaluation_batches(
            split,
            self.decoder,
            self._skip_while_running,
            device=self.device,
            batch_size=self.eval_batch_size,
            scaling=self._scale_batch,
            is_own=is_own,
        )
