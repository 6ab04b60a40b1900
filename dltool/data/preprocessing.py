"""What stands between raw samples and the model, whatever the samples are."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

from torch import Tensor

from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.data.arrays import Text
from dltool.data.raw_front import RawFront
from dltool.data.raw_inputs import Named, Raw
from dltool.text.tokenizer import Tokenizer


class Preprocessing(ABC):
    """Makes of raw samples what the model takes: fitted on the training split, saved with the run.

    Attributes:
        gives_pixels: Whether the model's inputs are images, so that there are `pixels` and `from_pixels`.
        reads_texts: Whether raw samples are texts, so that there are a `tokenizer` and `encode_texts`.
    """

    gives_pixels: ClassVar[bool] = False
    reads_texts: ClassVar[bool] = False

    @abstractmethod
    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """Batches of at most `batch_size` raw samples, prepared as in training.

        Args:
            inputs: See dltool.inference.run.Run.predict.
            batch_size: At least 1.

        Raises:
            DataError: They cannot be read, or are none that the model takes.
        """

    @abstractmethod
    def describe(self) -> str:
        """What the model's inputs are, in words."""

    @abstractmethod
    def example_inputs(self, count: int) -> Tensor:
        """`count` inputs of the model to try it on, always the same."""

    @abstractmethod
    def raw_front(self) -> RawFront:
        """The preprocessing as the first layer of an exported network.

        Raises:
            ConfigError: It cannot be a part of a graph.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""

    @classmethod
    @abstractmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """What `to_dict` was called on."""

    def completed(self, spec: DataSpec) -> DataSpec:
        """The spec with what this preprocessing adds to it."""
        return spec

    def for_inference(self, *, any_length: bool, with_blanks: bool) -> "Preprocessing":
        """The preprocessing for a trained model.

        Args:
            any_length: The model takes texts longer than those of its training.
            with_blanks: The model fills the blanks of texts, which each text must have.
        """
        return self

    @property
    def input_tokenizer(self) -> str:
        """The tokenizer as JSON; empty where the inputs are no tokens."""
        return ""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the inputs, where `reads_texts`."""
        raise NotImplementedError(f"{type(self).__name__} reads no texts")

    def encode_texts(self, texts: Sequence[Text]) -> Tensor:
        """Tokens of texts, int64 `(B, T)`, where `reads_texts`."""
        raise NotImplementedError(f"{type(self).__name__} reads no texts")

    def pixels(self, inputs: Tensor) -> Tensor:
        """The model's inputs `(B, C, H, W)` as pixels of 0 … 255, where `gives_pixels`."""
        raise NotImplementedError(f"{type(self).__name__} gives no pixels")

    def from_pixels(self, images: Tensor) -> Tensor:
        """The model's inputs of uint8 images `(B, C, H, W)` of any size, where `gives_pixels`."""
        raise NotImplementedError(f"{type(self).__name__} gives no pixels")


def example_generator(count: int) -> Any:
    """The generator of example inputs, the same for the same count."""
    return generator(0, "export samples", count)
