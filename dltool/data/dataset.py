"""The interface between data sets of all kinds and the training or a use of a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import torch

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.numerals import counted
from dltool.core.spec import IGNORED, DataSpec
from dltool.data.arrays import Text
from dltool.data.batch_source import BatchSource, IsOwn
from dltool.data.contents import Contents
from dltool.data.evaluation_batch import LARGEST, fitting_batch
from dltool.data.fitted import Fitted, check_tokenizers, tokenizer_state
from dltool.data.own_augmentation import OwnVariation
from dltool.data.preprocessing import Preprocessing
from dltool.data.scaling import Scaling
from dltool.data.series_layout import Baseline, ForecastExample
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import Tokenizer, TokenizerSettings

COUNTED_TOKENS = 1_000_000  # Enough for their frequencies.


class PrepareOptions(NamedTuple):
    """The arguments of Dataset.prepare."""

    seed: int
    model_traits: Mapping[str, Any]
    pixel_scaling: Scaling | None
    channels_last: bool
    fitted: Fitted | None
    cut: bool
    approximate: bool
    augmentation: OwnVariation | None


class Dataset(ABC):
    """A data set from its loader to its batches.

    Attributes:
        unit: The unit of `sizes`: samples, or the tokens of one long text.
        batch_size: Samples per training step, or "full" for all of them.
        requested_eval_batch: Samples per evaluation batch, or "auto"; see fit_eval_batch.
        device: The device of the batches; known after `prepare`.
        contents: What its loaders have read, if that was recorded.

    Attributes, after `prepare`:
        spec: The description of the data; the loss sets `output_dim`.
        train: The stream of training batches.
        preprocessing: Converts raw samples to model inputs; fitted on the training split.
        held_out: False where so few samples exist that the same ones serve as train, val and test.
        choices: The value chosen for each `auto`, by key; with these values the run is the same.
        notes: Messages for the user, one line each.
        class_notes: A line with the shares of the classes, unless `notes` has it; empty for other targets.
    """

    batch_size: int | Literal["full"]
    requested_eval_batch: int | Literal["auto"] = LARGEST
    device: torch.device
    spec: DataSpec
    train: BatchSource
    preprocessing: Preprocessing
    held_out: bool = True
    contents: Contents | None = None
    unit: str = "samples"
    class_notes: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.choices: dict[str, object] = {}
        self.notes: list[str] = []
        self._limit_batches: int | None = None
        self._frequencies: torch.Tensor | None = None

    def prepare(
        self,
        seed: int,
        device: torch.device,
        model_traits: Mapping[str, Any] | None = None,
        pixel_scaling: Scaling | None = None,
        channels_last: bool = False,
        fitted: Fitted | None = None,
        cut: bool = True,
        approximate: bool = False,
        augmentation: OwnVariation | None = None,
    ) -> None:
        """Load, check, split, scale and place the data; then `train` and `evaluation` give batches.

        Args:
            seed: The run's seed, for order and augmentation.
            device: The device of the batches.
            model_traits: The model's registered traits, which decide automatic choices: `min_size` and `native_size`
                the resizing, `photo_size` the size for a folder of images of many sizes, `batching` how a stream of
                text is cut.
            pixel_scaling: The scaling that the task needs for images where `scaling` is "auto", "symmetric" for a GAN.
                Tables are scaled as configured.
            channels_last: Store batches of images in the channels-last memory format.
            fitted: The preprocessing that a run fitted; this data is then prepared in the same way, and nothing is
                fitted to it.
            cut: Whether to make the splits that the data lacks, by the fractions or folds.
            approximate: Whether a statistic that needs many images resized may be computed from some of them, as
                nothing is trained.
            augmentation: The user's own augmentation of training images, in addition to `data.augment`.

        Raises:
            DataError: The data is missing or wrong, or cannot be split, resized or batched as configured.
        """
        self.device = device
        self.choices.clear()
        self.notes.clear()
        self._prepare(
            PrepareOptions(
                seed, model_traits or {}, pixel_scaling, channels_last, fitted, cut, approximate, augmentation
            )
        )

    @abstractmethod
    def _prepare(self, options: PrepareOptions) -> None:
        """Implement `prepare` for `self.device`."""

    def _fit_tokenizer(
        self, key: str, settings: TokenizerSettings, texts: Iterable[Text], specials: Sequence[str]
    ) -> Tokenizer:
        """Fit the tokeniser to the training split's texts; the choice for `auto` is recorded under the key."""
        tokenizer = fit_tokenizer(settings, texts, specials)
        if settings.kind == "auto":
            self.choices[f"{key}.kind"] = tokenizer.kind
        return tokenizer

    @property
    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """The number of samples (tokens, if the data is one text) of each split that exists."""

    @abstractmethod
    def sample_names(self, split: str) -> list[str]:
        """The origin of each sample of a split: its row in the file, or its position in the data, from 0."""

    @abstractmethod
    def _batches(self, split: str) -> Iterator[Batch]:
        """One pass over a split that exists, in order and without augmentation."""

    def _own_batches(self, split: str, is_own: IsOwn) -> Iterator[Batch | None]:
        """`_batches` with None for each that is not this process's own."""
        return (batch if is_own(number) else None for number, batch in enumerate(self._batches(split)))

    @abstractmethod
    def drop_held_out(self) -> None:
        """Keep only the training split."""

    def hash_samples(self, names: Sequence[str], update: Callable[[bytes], None]) -> None:
        """Update a hash with the samples and targets of some splits, in the order of the data.

        Args:
            names: Names of splits that exist.
            update: The hash's update method.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be hashed")

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint: the tokenisers, which define a model's token ids."""
        return tokenizer_state(self.preprocessing, self.spec)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises DataError if the checkpoint was trained with other tokenisers."""
        check_tokenizers(state, self.state_dict(), "the data", "was the text changed? train again: dltool train …")

    def trivial_prediction(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """What can be predicted without a model: the mean, the most frequent class, the last value, token frequencies.

        Args:
            inputs: The inputs of a batch.

        Returns:
            Numbers `(B, target_dim)` in the model's scale, classes `(B,)` or labels `(B, num_classes)`, or for
            "next_token" the log-probability of each token `(V,)`, whatever the inputs; None for other targets.
        """
        return self._token_frequencies() if self.spec.target == "next_token" else None

    def baselines(self, split: str) -> list[Baseline]:
        """Forecasts without a model for the evaluated samples of a split, in their order; none for other data."""
        del split
        return []

    def forecast_example(self, split: str) -> ForecastExample | None:
        """Some samples of a split to draw with their forecasts; None for data that is no series."""
        del split
        return None

    def skipped_files(self) -> dict[str, str]:
        """The path of each file left out so far because it cannot be decoded, with the reason."""
        return {}

    def merge_skipped(self, gather: Callable[[Any], list[Any]]) -> None:  # noqa: B027 (most data has no files)
        """Add the files that other processes left out.

        Args:
            gather: Returns the argument of each process, which must be picklable.
        """

    def baseline(self, splits: Sequence[str]) -> str:
        """The accuracy of always predicting the most frequent class of the training, as text; empty without classes.

        Args:
            splits: The splits on which it is measured, which exist.
        """
        return ""

    def _token_frequencies(self) -> torch.Tensor:
        """The log-probability of each target token by its count in the first training batches, float32 `(V,)`."""
        if self._frequencies is None:
            counts = torch.ones(self.spec.num_target_tokens, device=self.device)  # As if each occurred once more.
            for batch in self.evaluation("train"):
                tokens = batch.targets[batch.targets != IGNORED]
                counts += torch.bincount(tokens, minlength=len(counts))
                if counts.sum() > COUNTED_TOKENS:
                    break
            self._frequencies = (counts / counts.sum()).log()
        return self._frequencies

    def evaluation(self, split: str) -> Iterator[Batch]:
        """One pass over "train", "val" or "test", in order and without augmentation.

        Raises:
            DataError: The split does not exist.
        """
        if split not in self.sizes:
            raise DataError(
                f"there is no {split} split, only {', '.join(self.sizes)}",
                hint=f"data.{split}_fraction=0.1" if split in ("val", "test") else None,
            )
        return islice(self._batches(split), self._limit_batches)

    def evaluation_share(self, split: str, rank: int, size: int) -> Iterator[Batch | None]:
        """The batches of `evaluation` that one of several processes has; None in place of those of the others.

        Args:
            split: One that exists.
            rank: The number of the process, from 0.
            size: The number of processes.
        """
        return islice(self._own_batches(split, lambda number: number % size == rank), self._limit_batches)

    def first_batch(self, split: str, least: int = 1) -> Batch:
        """The first samples of a split as one batch: at least the number requested, or all if there are fewer."""
        batches = self.evaluation(split)
        batch = next(batches)
        while batch.size < least and (more := next(batches, None)) is not None:
            inputs, targets = torch.cat([batch.inputs, more.inputs]), torch.cat([batch.targets, more.targets])
            batch = Batch(inputs, targets, len(targets))
        return batch

    def fit_eval_batch(self, sample_bytes: Callable[[], int | None]) -> None:
        """Choose the size of evaluation batches where it is "auto"; until then it follows the size of the inputs.

        Args:
            sample_bytes: Returns the bytes of memory that the model needs for one sample; None if unknown.
        """
        if self.requested_eval_batch != "auto":
            return
        num_bytes = sample_bytes()
        size = fitting_batch(num_bytes, self.spec.input_shape)
        self._set_eval_batch(size)
        self.choices["data.eval_batch_size"] = size
        if size < LARGEST:
            why = f"{num_bytes / 2**20:.3g} MB per sample" if num_bytes else "by the size of the images"
            self.notes.append(f"evaluations take {counted(size, 'sample')} at a time ({why}; data.eval_batch_size)")

    def _set_eval_batch(self, size: int) -> None:
        raise NotImplementedError(f"{type(self).__name__} takes no eval_batch_size=auto")

    def keep_first_batches(self, count: int) -> None:
        """End every epoch and every evaluation after `count` batches, for a quick trial."""
        self.train.keep_first_batches(count)
        self._limit_batches = count
        self.notes.append(
            f"each epoch ends after {'1 batch' if count == 1 else f'{count} batches'} (trainer.limit_batches)"
        )

    def repeat_first_batches(self, count: int) -> None:
        """Train on the first `count` batches only, to check that the model can overfit them."""
        self.train.keep_first_batches(count, repeat=True)
        same = "the same batch" if count == 1 else f"the same {count} batches"
        self.notes.append(f"trains on {same} in every epoch, not augmented (trainer.overfit_batches)")
