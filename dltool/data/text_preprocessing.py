"""What stands between raw texts and the model: fitted on the training split, saved with the run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.spec import BEGIN, PAD
from dltool.data.arrays import Text
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class TextPreprocessing:
    """Makes tokens of texts.

    Attributes:
        saved_tokenizer: As JSON; see dltool.text.fitting.
        max_length: The most tokens that the model takes.
        cut: Whether longer texts lose their end, as in training, or are refused.
        begin: Whether BEGIN stands before each text.
        padded: Whether texts are padded to the length of the longest; a stream of text is one piece.
        blanks: Whether ___ and <unk> in a text are blanks, a token each.
    """

    gives_pixels: ClassVar[Literal[False]] = False

    saved_tokenizer: str
    max_length: int
    cut: bool = False
    begin: bool = False
    padded: bool = True
    blanks: bool = False

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(self.saved_tokenizer)

    def __call__(self, texts: Sequence[Text], names: Sequence[str] | None = None) -> Tensor:
        """Encode texts.

        Args:
            texts: At least one.
            names: What each is called in a message; None is its number, from 1.

        Returns:
            int32 `(B, T)`, T the length of the longest, shorter ones padded behind.

        Raises:
            DataError: One is empty, or longer than the model can take.
        """
        rows = []
        encode = self.tokenizer.encode_blanks if self.blanks else self.tokenizer.encode
        for place, text in enumerate(texts):
            name = names[place] if names is not None else f"text {place + 1}"
            found = encode(text)
            tokens = [BEGIN] * self.begin + found
            if not tokens:
                raise DataError(f"{name} is empty", "each text needs a word")
            if len(tokens) > self.max_length and not self.cut:
                raise DataError(
                    f"{name} has {len(tokens)} tokens, and the model takes at most {self.max_length}", "shorten it"
                )
            rows.append(tokens[: self.max_length])
        return padded(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `from_dict` makes an equal object of it."""
        return {"kind": "text", **asdict(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "TextPreprocessing":
        return cls(**{name: value for name, value in saved.items() if name != "kind"})


def padded(rows: Sequence[Sequence[int]], value: int = PAD) -> Tensor:
    """Sequences of different lengths as one int32 tensor `(N, T)`, `value` behind the shorter ones."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    array = np.full((len(rows), lengths.max(initial=0)), value, np.int32)
    filled = np.arange(array.shape[1]) < lengths[:, None]  # (N, T)
    array[filled] = np.fromiter(chain.from_iterable(rows), np.int32, lengths.sum())
    return torch.from_numpy(array)
