"""Tokenisers: text to the numbers that a model takes, and back. Fitted on the training split alone, saved with a run.

A vocabulary opens with its special tokens: `<unk>` alone for a stream of text; the four of dltool.core.spec where texts
are sentences of different lengths.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from dltool.core.errors import DataError
from dltool.declarations.component import Positive

STREAM_SPECIALS = ("<unk>",)
BLANK = re.compile(r"_{2,}|<unk>")  # In a text that a person typed: what is to be guessed.
SHOWN = 20  # Characters or words that a message names.


@dataclass(frozen=True, kw_only=True)
class TokenizerSettings:
    """How text becomes tokens.

    Attributes:
        kind: "char" takes characters, "word" words and punctuation marks, "bpe" the pieces of byte-pair encoding
            (Sennrich et al. 2016, arXiv:1508.07909) over bytes, which knows every text (needs dltool[text]). "auto"
            takes words where the data tells them apart already, else characters.
        lower: Make all letters small ones first.
        min_freq: Of "word" and "char": occurrences in the training split below which a token becomes `<unk>`.
        max_size: Tokens at most, the special ones included: the most frequent stay. null is no bound; "bpe" needs one.
    """

    kind: Literal["auto", "char", "word", "bpe"] = "char"
    lower: bool = False
    min_freq: Positive[int] = 1
    max_size: Positive[int] | None = None


class Tokenizer(ABC):
    """A fitted tokeniser.

    Attributes:
        kind: The value of `data.tokenizer.kind`.
        specials: The tokens that open the vocabulary.
        lower: Whether letters are made small first.
    """

    kind: ClassVar[str]

    def __init__(self, specials: Sequence[str], *, lower: bool) -> None:
        self.specials = tuple(specials)
        self.unknown = self.specials.index("<unk>")
        self.lower = lower

    @abstractmethod
    def __len__(self) -> int:
        """Tokens in the vocabulary."""

    @abstractmethod
    def encode(self, text: str | Sequence[str]) -> list[int]:
        """The tokens of a text, or of words that are told apart already; unknown ones as `<unk>`."""

    @abstractmethod
    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, special ones left out; `<unk>` is �."""

    @abstractmethod
    def name(self, token: int) -> str:
        """One token for a person: "e", "house"."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What `from_state` needs beside what all share, as JSON knows it."""

    @classmethod
    @abstractmethod
    def from_state(cls, specials: Sequence[str], lower: bool, state: dict[str, Any]) -> "Tokenizer": ...

    def prepared(self, text: str) -> str:
        return text.lower() if self.lower else text

    def encode_known(self, text: str, *, unknown: Literal["refuse", "skip"] = "refuse") -> list[int]:
        """The tokens of a text that a person typed.

        Raises:
            DataError: It has tokens that the training never saw, and they are not to be skipped.
        """
        tokens = self.encode(text)
        if unknown == "skip":
            return [token for token in tokens if token != self.unknown]
        if self.unknown in tokens:
            raise DataError(
                f"the training never saw {', '.join(map(repr, self.strangers(text)[:SHOWN]))}", "--unknown=skip"
            )
        return tokens

    def encode_blanks(self, text: str | Sequence[str]) -> list[int]:
        """The tokens of a text with blanks, each of which is one `<unk>`, as is a part that is not known."""
        if not isinstance(text, str):
            return self.encode(text)
        first, *rest = (self.encode(part) for part in BLANK.split(text))
        return first + [token for part in rest for token in (self.unknown, *part)]

    def words(self, text: str) -> list[str]:
        """What each token of `encode` stands for, unknown ones as they are written."""
        return [self.name(token) for token in self.encode(text)]

    def strangers(self, text: str) -> list[str]:
        """The parts of a text that are not in the vocabulary, each once."""
        return []

    def to_json(self) -> str:
        """Everything, as `load_tokenizer` takes it."""
        shared = {"kind": self.kind, "specials": list(self.specials), "lower": self.lower}
        return json.dumps(shared | self.state(), ensure_ascii=False)
