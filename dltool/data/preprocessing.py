"""The interface of the preprocessing from raw samples to model inputs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal, Self

from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.data.arrays import Text
from dltool.data.raw_front import RawFront
from dltool.data.raw_inputs import Named, Raw
from dltool.data.series_layout import ForecastLayout
from dltool.text.tokenizer import Tokenizer


class Preprocessing(ABC):
    """Converts raw samples to model inputs; fitted on the training split, saved with the run.

    Attributes:
        gives_pixels: Whether the model's inputs are images, so that `pixels` and `from_pixels` exist.
        reads_texts: Whether raw samples are texts, so that `tokenizer` and `encode_texts` exist.
        forecast: What the numbers of a forecast are; None where no series is forecast.
    """

    gives_pixels: ClassVar[bool] = False
    reads_texts: ClassVar[bool] = False
    forecast: ForecastLayout | None = None

    @abstractmethod
    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """Batches of at most `batch_size` raw samples, prepared as in training.

        Args:
            inputs: See dltool.inference.run.Run.predict.
            batch_size: At least 1.

        Raises:
            DataError: They cannot be read, or are not of a kind that the model takes.
        """

    def read_and_compare(self, inputs: Raw, batch_size: int, warn: Callable[[str], None]) -> Iterator[Named]:
        """As `read`; at the end, `warn` is called with a message for each difference from the training's samples."""
        return self.read(inputs, batch_size)

    def adjusted(self, *, invert: bool, fit: Literal["crop", "squash", "digit"] | None) -> "Preprocessing":
        """The preprocessing of images that are changed before a prediction.

        Args:
            invert: Exchange black and white.
            fit: How images are fitted, instead of as in training; "digit" as fit_digit does.

        Raises:
            ConfigError: The inputs are not images.
        """
        if invert or fit is not None:
            raise ConfigError("--invert and --fit change images, but the run reads none", "without --invert and --fit")
        return self

    @abstractmethod
    def describe(self) -> str:
        """Describe the model's inputs as text."""

    @abstractmethod
    def example_inputs(self, count: int) -> Tensor:
        """`count` example inputs of the model, always the same."""

    @abstractmethod
    def raw_front(self) -> RawFront:
        """The preprocessing as the first layer of an exported network.

        Raises:
            ConfigError: It cannot be part of a graph.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON, from which `from_dict` restores an equal object."""

    @classmethod
    @abstractmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""

    def completed(self, spec: DataSpec) -> DataSpec:
        """The spec with the fields that this preprocessing adds."""
        return spec

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the numbers in a raw sample, where raw samples are rows of numbers; else empty."""
        return ()

    def raw_numbers(self, inputs: Tensor) -> Tensor | None:
        """The raw numbers of prepared inputs, float64 `(B, D)`; None where raw samples are not rows of numbers."""
        return None

    def for_inference(self, *, any_length: bool, with_blanks: bool) -> "Preprocessing":
        """The preprocessing for a trained model.

        Args:
            any_length: Whether the model takes texts longer than those of its training.
            with_blanks: Whether the model fills the blanks of texts, which each text must have.
        """
        return self

    @property
    def input_tokenizer(self) -> str:
        """The tokenizer as JSON; empty where the inputs are not tokens."""
        return ""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the inputs, where `reads_texts`."""
        raise NotImplementedError(f"{type(self).__name__} reads no texts")

    def words(self, text: str) -> list[str]:
        """The text of each token of a text that `read` has returned, where `reads_texts`."""
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
