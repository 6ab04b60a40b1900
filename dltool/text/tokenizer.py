"""Tokenisers: text to the token numbers of a model, and back. Fitted on the training split only, saved with a run.

A vocabulary begins with its special tokens: only `<unk>` for a stream of text; the four of dltool.core.spec where texts
are sentences of different lengths.
"""

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from dltool.core.errors import DataError
from dltool.declarations.component import Positive
from dltool.text.segmentation import Division

Form = Literal["nfc", "none"]

STREAM_SPECIALS = ("<unk>",)
BLANK = re.compile(r"_{2,}|<unk>")  # The positions to predict in a typed text.
SHOWN = 20  # Maximum number of characters or words in a message.


@dataclass(frozen=True, kw_only=True)
class TokenizerSettings:
    """How text is split into tokens.

    Attributes:
        kind: "char" takes characters, "word" words and punctuation marks, "bpe" the pieces of byte-pair encoding
            (Sennrich et al. 2016, arXiv:1508.07909) over bytes, which encodes every text (needs the extra text). "auto"
            takes words where the data is already split into words, else characters.
        lower: Convert all letters to lower case first.
        min_freq: For "word" and "char": tokens with fewer occurrences in the training split become `<unk>`.
        max_size: Maximum number of tokens, special ones included; the most frequent are kept. null is no bound;
            "bpe" needs one.
        words: For "word": how a text is divided into words. "unicode" takes runs of letters and digits with their
            combining marks, punctuation marks, and single characters in scripts without spaces between words, such as
            Chinese, Japanese and Thai. "spaces" takes whatever is between spaces, for texts that are already divided.
            "alphanumeric" is the way of dltool 0.1: it divides at combining marks, and not within Chinese.
        form: "nfc" composes letters and combining marks first (Unicode Standard Annex #15), so that é is the same
            whether it was written as one character or as two; "none" takes them as they are written.
    """

    kind: Literal["auto", "char", "word", "bpe"] = "char"
    lower: bool = False
    min_freq: Positive[int] = 1
    max_size: Positive[int] | None = None
    words: Division = "unicode"
    form: Form = "nfc"


class Encoded(NamedTuple):
    """The tokens of several texts.

    Attributes:
        tokens: `(N,)`, those of all texts, concatenated; int32, unless another type was asked for.
        lengths: int64, the number of tokens of each text.
    """

    tokens: np.ndarray
    lengths: np.ndarray


class Tokenizer(ABC):
    """A fitted tokeniser.

    Attributes:
        kind: The value of `data.tokenizer.kind`.
        specials: The first tokens of the vocabulary.
        lower: Whether letters are converted to lower case first.
        form: The Unicode normal form of the texts; see TokenizerSettings.
    """

    kind: ClassVar[str]
    form: Form = "none"

    def __init__(self, specials: Sequence[str], *, lower: bool) -> None:
        self.specials = tuple(specials)
        self.unknown = self.specials.index("<unk>")
        self.lower = lower

    @abstractmethod
    def __len__(self) -> int:
        """Tokens in the vocabulary."""

    @abstractmethod
    def encode(self, text: str | Sequence[str]) -> list[int]:
        """The tokens of a text, or of a list of words; unknown ones as `<unk>`."""

    def encode_all(self, texts: Iterable[str | Sequence[str]], dtype: DTypeLike = np.int32) -> Encoded:
        """The tokens of many or long texts, as of `encode`, in a type that holds them all; see `smallest_type`."""
        tokens, lengths = array("i"), []
        for text in texts:
            found = self.encode(text)
            tokens.extend(found)
            lengths.append(len(found))
        array_of_all = np.frombuffer(tokens, np.int32).astype(dtype, copy=False)
        return Encoded(array_of_all, np.array(lengths, np.int64))

    @property
    def smallest_type(self) -> np.dtype:
        """The smallest integer type that holds every token and that torch computes with."""
        return np.dtype(np.uint8) if len(self) <= 256 else np.min_scalar_type(-len(self))

    @abstractmethod
    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, without special ones; `<unk>` becomes �."""

    @abstractmethod
    def name(self, token: int) -> str:
        """One token in readable form: "e", "house"."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """The arguments of `from_state` besides those that all share, JSON-compatible."""

    @classmethod
    @abstractmethod
    def from_state(cls, specials: Sequence[str], lower: bool, state: dict[str, Any]) -> "Tokenizer": ...

    def prepared(self, text: str) -> str:
        text = normalized(text, self.form)
        return text.lower() if self.lower else text

    def encode_known(self, text: str, *, unknown: Literal["refuse", "skip"] = "refuse") -> list[int]:
        """The tokens of a text typed by the user.

        Raises:
            DataError: It has tokens that the training never saw, and they are not to be skipped.
        """
        tokens = self.encode(text)
        if unknown == "skip":
            return [token for token in tokens if token != self.unknown]
        if self.unknown in tokens:
            raise DataError(
                f"not in the training data: {', '.join(map(repr, self.unknown_parts(text)[:SHOWN]))}", "--unknown=skip"
            )
        return tokens

    def encode_blanks(self, text: str | Sequence[str]) -> list[int]:
        """The tokens of a text with blanks; each blank and each unknown part becomes one `<unk>`."""
        if not isinstance(text, str):
            return self.encode(text)
        first, *rest = (self.encode(part) for part in BLANK.split(text))
        return first + [token for part in rest for token in (self.unknown, *part)]

    def words(self, text: str) -> list[str]:
        """The text of each token of `encode`; unknown ones as they are written."""
        return [self.name(token) for token in self.encode(text)]

    def unknown_parts(self, text: str) -> list[str]:
        """The parts of a text that are not in the vocabulary, without repetition."""
        return []

    def to_json(self) -> str:
        """The whole tokeniser, as `load_tokenizer` reads it."""
        shared = {"kind": self.kind, "specials": list(self.specials), "lower": self.lower}
        # Without the default of dltool 0.1, so that its runs keep their fingerprint.
        form = {} if self.form == "none" else {"form": self.form}
        return json.dumps(shared | form | self.state(), ensure_ascii=False)


def normalized(text: str, form: Form) -> str:
    """The text in a Unicode normal form; not a copy of one that is in it."""
    return text if form == "none" or text.isascii() else unicodedata.normalize("NFC", text)
