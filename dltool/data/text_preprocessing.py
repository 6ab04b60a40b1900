"""The preprocessing from raw texts to model inputs: fitted on the training split, saved with the run."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import BEGIN, PAD
from dltool.data.arrays import Text, TextColumn
from dltool.data.preprocessing import Preprocessing, example_generator
from dltool.data.raw_front import RawFront
from dltool.data.raw_inputs import Named, Raw
from dltool.data.text_inputs import given_words, shown, texts_of
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import BLANK, Tokenizer

NUM_TEXTS = 64  # Largest batch: outputs for texts can be large, a probability for each word of a vocabulary.
NUM_TOKENS = 16  # Of example inputs.


@dataclass(frozen=True)
class TextPreprocessing(Preprocessing):
    """Converts texts to tokens.

    Attributes:
        saved_tokenizer: The tokeniser as JSON; see dltool.text.fitting.
        max_length: Largest number of tokens that the model takes.
        cut: Whether longer texts are truncated, as in training, or refused.
        begin: Whether each text starts with BEGIN.
        padded: Whether texts are padded to the length of the longest; a stream of text is one piece.
        blanks: Whether ___ and <unk> in a text are blanks, one token each.
        given_words: Whether the texts of the training were lists of words; typed ones are then divided at spaces.
        column: The column of the texts in CSV files, if the training read them from one.
    """

    reads_texts = True

    saved_tokenizer: str
    max_length: int
    cut: bool = False
    begin: bool = False
    padded: bool = True
    blanks: bool = False
    given_words: bool = False
    column: TextColumn | None = None

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(self.saved_tokenizer)

    @property
    def input_tokenizer(self) -> str:
        return self.saved_tokenizer

    def read(self, inputs: Raw, batch_size: int) -> Iterator[Named]:
        """Texts or lists of words, or those of files given as Paths; see dltool.data.text_inputs."""
        texts = texts_of(inputs, self.column)
        batch_size = min(batch_size, NUM_TEXTS) if self.padded else 1  # Parts of a stream are not padded.
        for start in range(0, len(texts), batch_size):
            part = texts[start : start + batch_size]
            names = [f"text {start + place}" for place in range(1, len(part) + 1)]
            tokens = self(part, names).long()
            written = list(map(shown, part))
            if self.blanks:
                check_blanks(written, names)
            yield written, tokens

    def words(self, text: str) -> list[str]:
        return list(given_words(text)) if self.given_words else self.tokenizer.words(text)

    def divided(self, text: Text) -> Text:
        """The words of a text where the training's texts were lists of words, else the text."""
        return given_words(text) if self.given_words else text

    def for_inference(self, *, any_length: bool, with_blanks: bool) -> "TextPreprocessing":
        found = replace(self, max_length=sys.maxsize) if any_length and not self.cut else self
        return replace(found, blanks=True, cut=False) if with_blanks else found

    def encode_texts(self, texts: Sequence[Text]) -> Tensor:
        return self(texts).long()

    def describe(self) -> str:
        return "tokens, shorter texts right-padded with 0; preprocessing.json has the vocabulary"

    def example_inputs(self, count: int) -> Tensor:
        shape = (count, min(self.max_length, NUM_TOKENS))
        return torch.randint(len(self.tokenizer), shape, generator=example_generator(count))

    def raw_front(self) -> RawFront:
        raise ConfigError(
            "a graph does not take text", "without --with-preprocessing; preprocessing.json has the vocabulary"
        )

    def __call__(self, texts: Sequence[Text], names: Sequence[str] | None = None) -> Tensor:
        """Encode texts.

        Args:
            texts: At least one.
            names: The name of each in a message; None: its number, from 1.

        Returns:
            int32 `(B, T)`, T the length of the longest, shorter ones right-padded.

        Raises:
            DataError: One is empty, or longer than the model can take.
        """
        rows = []
        encode = self.tokenizer.encode_blanks if self.blanks else self.tokenizer.encode
        for place, text in enumerate(texts):
            name = names[place] if names is not None else f"text {place + 1}"
            found = encode(self.divided(text))
            tokens = [BEGIN] * self.begin + found
            if not tokens:
                raise DataError(f"{name} is empty", "each text needs a word")
            if len(tokens) > self.max_length and not self.cut:
                raise DataError(
                    f"{name} has {len(tokens)} tokens, but the model takes at most {self.max_length}", "shorten it"
                )
            rows.append(tokens[: self.max_length])
        return padded(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""
        return {"kind": "text", **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "TextPreprocessing":
        fields = {name: value for name, value in saved.items() if name != "kind"}
        column = saved.get("column")
        return cls(**{**fields, "column": None if column is None else TextColumn(**column)})


def padded(rows: Sequence[Sequence[int]], value: int = PAD) -> Tensor:
    """Sequences of different lengths as one int32 tensor `(N, T)`, right-padded with `value`."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    array = np.full((len(rows), lengths.max(initial=0)), value, np.int32)
    filled = np.arange(array.shape[1]) < lengths[:, None]  # (N, T)
    array[filled] = np.fromiter(chain.from_iterable(rows), np.int32, lengths.sum())
    return torch.from_numpy(array)


def check_blanks(texts: Sequence[str], names: Sequence[str]) -> None:
    """Raises DataError for a text without a blank."""
    for text, name in zip(texts, names, strict=True):
        if BLANK.search(text) is None:
            raise DataError(f"{name} has no blank: {text!r}", "write ___ for each word to predict")
