"""The base of all data sets of single samples: batches, splits and residency of the data."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.data.arrays import RawData, Split, check_data
from dltool.data.augment import Augmenter
from dltool.data.batch_source import IsOwn, every
from dltool.data.contents import load_recorded
from dltool.data.dataset import Dataset, PrepareOptions
from dltool.data.drawing_order import check_order
from dltool.data.evaluation_batch import fitting_batch
from dltool.data.fitted import relabelled
from dltool.data.image_files import ImageFiles
from dltool.data.memory import fits_device
from dltool.data.own_augmentation import OwnVariation
from dltool.data.preprocessing import Preprocessing
from dltool.data.scaling import Scaling, blurred_in_float32, fit_rows, scale_channels_last
from dltool.data.shares import absent_notes, class_counts, class_notes, majority_baseline
from dltool.data.source import TrainSource, evaluation_batches
from dltool.data.splits import first_samples, make_splits
from dltool.declarations.component import Fraction, Handling, Membership, NonNegative, Placement, Positive

LoadFunction = Callable[[torch.Generator], RawData]
HASHED_AT_ONCE = 1024  # Samples.


class SampleData(Dataset):
    """Samples that are split, shuffled and drawn; subclasses shape and scale the inputs.

    Args:
        load: Loads the data; synthetic data is drawn from the generator, seeded with `split_seed`.
        batch_size: Samples per training step, or "full" for all of them.
        eval_batch_size: Samples per evaluation batch; changes its speed and memory, not its result. "auto" takes as
            many as the model can in 256 MB, at most 512.
        shuffle: A new order each epoch; false keeps the order of the data.
        drop_last: Leave out an epoch's last batch if it is smaller.
        sampling: "all" draws each training sample once per epoch; "balanced" draws equally many of each class: rare
            ones repeatedly, of frequent ones a different part in each epoch.
        order: "by_class" draws one class after the other, each in the order that `shuffle` gives, to show that training
            needs mixed batches; "random" does not sort.
        val_fraction, test_fraction: Fractions of all samples for the validation and test split where the data has no
            official one; 0 for none.
        num_folds: Split the samples into this number of folds, stratified by class or label; number `fold`, from 0, is
            the test split, or the validation split where the data has an official test split. null splits by fractions.
        fold: See num_folds.
        train_samples: Train on this number of the training samples, for learning curves; null takes all. They are the
            first of a permutation by `split_seed` in which each class has its share all along, so that a larger number
            adds samples to a smaller one. What is held out stays the same.
        split_seed: Seed of the split and of synthetic data, separate from the run's `seed`, so that runs with several
            seeds are compared on the same test set.
        residency: "device" keeps all inputs on the training device, "host" in the host's memory, from
            which batches are copied (through pinned memory for CUDA); "auto" takes the device if the
            inputs fit into a quarter of its free memory.

    Attributes, after `prepare`:
        splits: The samples of "train", "val" and "test", if they exist, before pixels are scaled, and before images are
            resized if each batch does that; see `resized`.
        eval_batch_size: The argument, or the chosen value.
    """

    splits: dict[str, Split]
    eval_batch_size: int
    train: TrainSource

    def __init__(
        self,
        load: LoadFunction,
        *,
        batch_size: Handling[Positive[int] | Literal["full"]] = 64,
        eval_batch_size: Handling[Positive[int] | Literal["auto"]] = "auto",
        shuffle: Handling[bool] = True,
        drop_last: Handling[bool] = False,
        sampling: Handling[Literal["all", "balanced"]] = "all",
        order: Handling[Literal["random", "by_class"]] = "random",
        val_fraction: Membership[Fraction[float]] = 0.1,
        test_fraction: Membership[Fraction[float]] = 0.2,
        num_folds: Membership[Positive[int] | None] = None,
        fold: Membership[NonNegative[int]] = 0,
        train_samples: Membership[Positive[int] | None] = None,
        split_seed: Membership[NonNegative[int]] = 0,
        residency: Placement[Literal["auto", "device", "host"]] = "auto",
    ) -> None:
        super().__init__()
        self.load = load
        self.batch_size = batch_size
        self.requested_eval_batch = eval_batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.sampling = sampling
        self.order = order
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.num_folds = num_folds
        self.fold = fold
        self.train_samples = train_samples
        self.split_seed = split_seed
        self.residency = residency
        self._resize_batch: Callable[[Tensor], Tensor] | None = None
        self._scale_batch: Callable[[Tensor], Tensor] | None = None
        self._augmenter: Augmenter | None = None
        self._own_augmentation: OwnVariation | None = None
        self._files: ImageFiles | None = None
        self._typical_target: Tensor | None = None

    def _prepare(self, options: PrepareOptions) -> None:
        raw = load_recorded(self.load, generator(self.split_seed, "data"))
        check_data(raw)
        if options.fitted is not None:
            raw = relabelled(raw, options.fitted.spec)
        check_order(raw, self.sampling, self.order, shuffle=self.shuffle)
        self.choices.update(raw.choices)
        self.notes += raw.notes
        self.class_notes = class_notes(raw)
        self.splits = raw.splits
        if options.cut:
            self.splits = make_splits(
                raw,
                val_fraction=self.val_fraction,
                test_fraction=self.test_fraction,
                num_folds=self.num_folds,
                fold=self.fold,
                seed=self.split_seed,
            )
            self._choose_training_samples(raw)
            self._note_splits(raw)
            self.notes += absent_notes(raw, self.splits)
        self.held_out = raw.held_out
        self._files = raw.files
        self._resize_batch, self._approximate = None, options.approximate
        self._own_augmentation = options.augmentation
        if options.fitted is not None:
            self.spec = options.fitted.spec
            self._reuse(raw, options.fitted.preprocessing)
        else:
            self._shape(options.model_traits)
            self.spec = self._describe(raw, self._scale(raw, options.pixel_scaling))
            self.spec = self.preprocessing.completed(self.spec)
        if raw.target == "numbers":
            if not self.spec.target_mean:
                names = ["the target"] * raw.target_dim
                self._note_blurred(self.splits["train"].targets, names, "standardizing it")
            self.splits = {
                name: replace(split, targets=self.spec.standardized(split.targets))
                for name, split in self.splits.items()
            }
        if options.channels_last and self._scale_batch is not None:
            self._scale_batch = partial(scale_channels_last, self._scale_batch)
        self._place()
        chosen = self.requested_eval_batch
        self.eval_batch_size = fitting_batch(None, self.spec.input_shape) if chosen == "auto" else chosen
        if self._augmenter is not None and self._augmenter.own is not None:
            images = torch.zeros(2, *self.spec.input_shape, dtype=torch.uint8, device=self.device)
            self._augmenter.own.try_out(images, options.seed)
        self.train = self._make_source(
            device=self.device,
            batch_size=self.batch_size,
            seed=options.seed,
            shuffle=self.shuffle,
            drop_last=self.drop_last,
            balanced=self.sampling == "balanced",
            by_class=self.order == "by_class",
            resize=self._resize_batch,
            scaling=self._scale_batch,
            augment=self._augmenter,
        )

    def drop_held_out(self) -> None:
        self.splits = {"train": self.splits["train"]}

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(self.splits[name]) for name in ("train", "val", "test") if name in self.splits}

    def sample_names(self, split: str) -> list[str]:
        return [str(place) for place in self.splits[split].places.tolist()]

    def trivial_prediction(self, inputs: Tensor) -> Tensor | None:
        if self.spec.target not in ("numbers", "classes", "binary", "labels"):
            return super().trivial_prediction(inputs)
        if self._typical_target is None:
            targets = self.splits["train"].targets.to(inputs.device)
            numbers = self.spec.target == "numbers"
            self._typical_target = targets.float().mean(0) if numbers else targets.mode(dim=0).values
        return self._typical_target.expand(len(inputs), *self._typical_target.shape)

    def baseline(self, splits: Sequence[str]) -> str:
        return majority_baseline(self.spec, [self.splits[name].targets for name in splits])

    def hash_samples(self, names: Sequence[str], update: Callable[[bytes], None]) -> None:
        splits = [self.splits[name] for name in names]
        order = torch.cat([split.places for split in splits]).argsort(stable=True)
        inputs, targets = (
            torch.cat([values.cpu() for values in columns])
            for columns in ([split.inputs for split in splits], [split.targets for split in splits])
        )
        self._hash_inputs(inputs, order, update)
        update(as_bytes(targets[order]))

    def _hash_inputs(self, inputs: Tensor, order: Tensor, update: Callable[[bytes], None]) -> None:
        for rows in order.split(HASHED_AT_ONCE):
            update(as_bytes(self.resized(inputs[rows])))

    def _evaluated(self, samples: Tensor) -> Tensor:
        """The samples of a split that an evaluation measures: the first batches, if others are left out."""
        return samples if self._limit_batches is None else samples[: self._limit_batches * self.eval_batch_size]

    def _batches(self, split: str) -> Iterator[Batch]:
        return (batch for batch in self._own_batches(split, every) if batch is not None)

    def _own_batches(self, split: str, is_own: IsOwn) -> Iterator[Batch | None]:
        return self._evaluation_batches(self.splits[split], is_own)

    def _evaluation_batches(self, split: Split, is_own: IsOwn) -> Iterator[Batch | None]:
        return evaluation_batches(
            split,
            device=self.device,
            batch_size=self.eval_batch_size,
            resize=self._resize_batch,
            scaling=self._scale_batch,
            is_own=is_own,
        )

    def resized(self, inputs: Tensor) -> Tensor:
        """Inputs of a split in the size of the model's inputs, neither augmented nor scaled."""
        return inputs

    def _set_eval_batch(self, size: int) -> None:
        self.eval_batch_size = size

    def _make_source(self, **settings: Any) -> TrainSource:
        return TrainSource(self.splits["train"], **settings)

    def _input_shape(self) -> tuple[int, ...]:
        return tuple(self.splits["train"].inputs.shape[1:])

    @abstractmethod
    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        """Check the kind of the inputs and resize them to the size that the model takes."""

    @abstractmethod
    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        """Scale the inputs, or set `_scale_batch`; set `preprocessing`, which does the same to raw samples.

        Returns:
            The range that bounds the inputs, if any.
        """

    @abstractmethod
    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        """Prepare the inputs as a run did, instead of `_shape` and `_scale`.

        Raises:
            DataError: They are of another kind.
        """

    def _choose_training_samples(self, raw: RawData) -> None:
        """Give the training samples the targets that are for them alone, and keep `train_samples` of them."""
        train = self.splits["train"]
        if raw.training_targets is not None:
            train = replace(train, targets=raw.training_targets[train.places])
        if self.train_samples is not None:
            train = first_samples(train, self.train_samples, raw, self.split_seed)
        self.splits["train"] = train

    def _describe(self, raw: RawData, input_range: tuple[float, float] | None) -> DataSpec:
        """The description of the data, after its inputs have their shape."""
        spec = DataSpec(
            input_shape=self._input_shape(),
            target=raw.target,
            class_names=raw.class_names,
            target_dim=raw.target_dim,
            input_range=input_range,
            centers=raw.centers,
            center_std=raw.center_std,
            **class_counts(raw, self.splits["train"].targets),
        )
        if raw.target != "numbers" or not raw.standardize_targets:
            return spec
        mean, factor = fit_rows(self.splits["train"].targets, "standardize")
        return replace(spec, target_mean=tuple(mean.tolist()), target_std=tuple(factor.reciprocal().tolist()))

    def _replace_inputs(self, inputs: Mapping[str, Tensor]) -> None:
        self.splits = {name: Split(inputs[name], split.targets, split.rows) for name, split in self.splits.items()}

    def _place(self) -> None:
        """Move the inputs to the place that `residency` states."""
        if self._chosen_residency(sum(split.inputs.nbytes for split in self.splits.values())) == "device":
            self._replace_inputs({name: split.inputs.to(self.device) for name, split in self.splits.items()})

    def _chosen_residency(self, num_bytes: int) -> Literal["device", "host"]:
        """The value of `residency` for inputs of this size, "auto" decided."""
        if self.residency != "auto":
            return self.residency
        chosen: Literal["device", "host"] = "device" if fits_device(num_bytes, self.device) else "host"
        self.choices["data.residency"] = chosen
        return chosen

    def _note_blurred(self, rows: Tensor, names: Sequence[str], remedy: str) -> None:
        """Note which columns of numbers `(N, D)` lose their differences when converted to float32 unscaled."""
        for name, column in zip(names, rows.unbind(1), strict=True):
            present = column[~column.isnan()]
            if blurred_in_float32(present):
                least, largest = present.min().item(), present.max().item()
                lost = f"{name} from {least:.10g} to {largest:.10g} loses its differences in float32"
                self.notes.append(f"{lost}; {remedy} keeps them")

    def _note_splits(self, raw: RawData) -> None:
        size = len(self.splits["train"])
        if not raw.held_out:
            total = len(raw.train)
            less = "" if size == total else f", {size} of them as train"
            self.notes.append(f"nothing is held out: the same {total} samples serve as train, val and test{less}")
            return
        if self.num_folds is not None:
            held = "validation" if "test" in raw.splits else "test"
            self.notes.append(f"the {held} split is fold {self.fold} of 0 … {self.num_folds - 1}")
        for name, fraction in (("val", self.val_fraction), ("test", self.test_fraction)):
            if name in raw.splits and fraction > 0:
                self.notes.append(
                    f"the official {name} split of {len(raw.splits[name]):,} samples is used, "
                    f"not data.{name}_fraction={fraction}"
                )
        if self.batch_size != "full" and self.batch_size > size and not self.drop_last:
            self.notes.append(f"data.batch_size={self.batch_size} is more than the {size} training samples: one batch")


def as_bytes(values: Tensor) -> bytes:
    """The bytes of a tensor as in memory."""
    return values.cpu().contiguous().numpy().tobytes()
