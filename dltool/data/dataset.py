"""What the training and all that uses a run ask of a data set, whatever its samples are."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import torch

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.data.arrays import Text
from dltool.data.batch_source import BatchSource
from dltool.data.evaluation_batch import LARGEST, fitting_batch
from dltool.data.fitted import Fitted, check_tokenizers, tokenizer_state
from dltool.data.preprocessing import Preprocessing
from dltool.data.scaling import Scaling
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import Tokenizer, TokenizerSettings


class PrepareOptions(NamedTuple):
    """What a training, or a use of its run, asks of the data; see Dataset.prepare."""

    seed: int
    model_traits: Mapping[str, Any]
    pixel_scaling: Scaling | None
    channels_last: bool
    fitted: Fitted | None
    cut: bool
    approximate: bool


class Dataset(ABC):
    """A data set from its loader to its batches.

    Attributes:
        unit: What `sizes` counts: samples, or the tokens of one long text.
        batch_size: Samples that one training step sees, or "full" for all of them.
        requested_eval_batch: Samples a batch of evaluation, or "auto"; see fit_eval_batch.
        device: Where batches are wanted; known after `prepare`.

    Attributes, after `prepare`:
        spec: What the data says of itself; `output_dim` is left for the loss to decide.
        train: The stream of training batches.
        preprocessing: Makes of raw samples what the model takes; fitted on the training split.
        held_out: False where so few samples exist that the same ones serve as train, val and test.
        choices: What each `auto` became, by its key; with these values the run is the same.
        notes: What a person should know of it, a line each.
    """

    batch_size: int | Literal["full"]
    requested_eval_batch: int | Literal["auto"] = LARGEST
    device: torch.device
    spec: DataSpec
    train: BatchSource
    preprocessing: Preprocessing
    held_out: bool = True
    unit: str = "samples"

    def __init__(self) -> None:
        self.choices: dict[str, object] = {}
        self.notes: list[str] = []
        self._limit_batches: int | None = None

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
    ) -> None:
        """Load, check, split, scale and place the data; then `train` and `evaluation` give batches.

        Args:
            seed: The run's, for order and augmentation.
            device: Where batches are wanted.
            model_traits: The model's registered facts, which automatic choices follow: its `min_size` and
                `native_size` decide a resize, its `photo_size`, if it has one, what a folder of pictures of many
                sizes is brought to, its `batching` how a stream of text is cut.
            pixel_scaling: The scaling that the task asks of images where `scaling` is "auto"; a GAN's
                "symmetric". Tables are not pixels and stay as configured.
            channels_last: Lay batches of images out with the channels innermost.
            fitted: What a run's data became; this data is then prepared as that was, and nothing is fitted to it.
            cut: Cut off the splits that the data does not bring, by the fractions or folds.
            approximate: Nothing is trained: a statistic for which many images would have to be resized may come from
                some of them.

        Raises:
            DataError: The data is missing or wrong, or cannot be split, resized or batched as configured.
        """
        self.device = device
        self.choices.clear()
        self.notes.clear()
        self._prepare(PrepareOptions(seed, model_traits or {}, pixel_scaling, channels_last, fitted, cut, approximate))

    @abstractmethod
    def _prepare(self, options: PrepareOptions) -> None:
        """Do what `prepare` says, for `self.device`."""

    def _fit_tokenizer(
        self, key: str, settings: TokenizerSettings, texts: Iterable[Text], specials: Sequence[str]
    ) -> Tokenizer:
        """The tokeniser of the training split's texts, what its `auto` became noted under the key."""
        tokenizer = fit_tokenizer(settings, texts, specials)
        if settings.kind == "auto":
            self.choices[f"{key}.kind"] = tokenizer.kind
        return tokenizer

    @property
    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Samples (or, where the data is one text, tokens) of each split that exists."""

    @abstractmethod
    def sample_names(self, split: str) -> list[str]:
        """Where each sample of a split comes from: its row in the file, or its position in the data, from 0."""

    @abstractmethod
    def _batches(self, split: str) -> Iterator[Batch]:
        """One pass over a split that exists, in order and without augmentation."""

    @abstractmethod
    def drop_held_out(self) -> None:
        """Keep the training split alone."""

    def hash_samples(self, names: Sequence[str], update: Callable[[bytes], None]) -> None:
        """Give a hash the samples of some splits with their targets, in the order in which the data has them.

        Args:
            names: Of splits that exist.
            update: Of the hash.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be hashed")

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of the data: the tokenisers, without which a model's numbers mean nothing."""
        return tokenizer_state(self.preprocessing, self.spec)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises DataError where the checkpoint's training had other tokenisers."""
        check_tokenizers(state, self.state_dict(), "the data", "was the text changed? train anew: dltool train …")

    def evaluation(self, split: str) -> Iterator[Batch]:
        """One pass over "train", "val" or "test", in order and without augmentation.

        Raises:
            DataError: There is no such split.
        """
        if split not in self.sizes:
            raise DataError(
                f"there is no {split} split, only {', '.join(self.sizes)}",
                hint=f"data.{split}_fraction=0.1" if split in ("val", "test") else None,
            )
        return islice(self._batches(split), self._limit_batches)

    def fit_eval_batch(self, sample_bytes: Callable[[], int | None]) -> None:
        """Choose the size of evaluation batches where it is "auto"; until then it follows the size of the inputs.

        Args:
            sample_bytes: Gives the memory that the model takes for one sample; None where that cannot be known.
        """
        if self.requested_eval_batch != "auto":
            return
        num_bytes = sample_bytes()
        size = fitting_batch(num_bytes, self.spec.input_shape)
        self._set_eval_batch(size)
        self.choices["data.eval_batch_size"] = size
        if size < LARGEST:
            why = f"{num_bytes / 2**20:.3g} MB a sample" if num_bytes else "by the size of the images"
            self.notes.append(f"evaluations take {size} samples at a time ({why}; data.eval_batch_size)")

    def _set_eval_batch(self, size: int) -> None:
        raise NotImplementedError(f"{type(self).__name__} takes no eval_batch_size=auto")

    def keep_first_batches(self, count: int) -> None:
        """Let every pass over any split end after `count` batches, to try a training out."""
        self.train.keep_first_batches(count)
        self._limit_batches = count
        self.notes.append(f"each pass ends after {count} batches (trainer.limit_batches)")

    def repeat_first_batches(self, count: int) -> None:
        """Let the training see the first `count` batches alone, again and again, to see it learn them by heart."""
        self.train.keep_first_batches(count, repeat=True)
        same = "the same batch" if count == 1 else f"the same {count} batches"
        self.notes.append(f"{same} again and again, not augmented (trainer.overfit_batches)")
