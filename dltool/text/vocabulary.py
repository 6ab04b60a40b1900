"""Tokenisers with a vocabulary: of characters, or of words."""

import sys
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from dltool.text.segmentation import Division, divide, join
from dltool.text.tokenizer import STREAM_SPECIALS, Encoded, Tokenizer, TokenizerSettings

CODED_AT_ONCE = 2**20  # Characters.


class VocabularyTokenizer(Tokenizer):
    """Characters or words with a list of known ones.

    Args:
        tokens: The vocabulary without its special tokens, in their order.
    """

    def __init__(self, specials: Sequence[str], tokens: Sequence[str], *, lower: bool) -> None:
        super().__init__(specials, lower=lower)
        self.tokens = tuple(tokens)
        self.numbers = {token: len(self.specials) + i for i, token in enumerate(self.tokens)}

    @classmethod
    def fit(
        cls, texts: Iterable[str | Sequence[str]], specials: Sequence[str], settings: TokenizerSettings
    ) -> "VocabularyTokenizer":
        """Fit the vocabulary to the training split; among equally frequent tokens, the first in sort order are kept."""
        options = {"lower": settings.lower, **cls.options(settings)}
        counts = cls(specials, (), **options).count(texts)
        for special in specials:
            del counts[special]  # A text may contain it literally.
        known = sorted(token for token, count in counts.items() if count >= settings.min_freq)
        if settings.max_size is not None or cls.by_frequency:
            known.sort(key=lambda token: -counts[token])
        if settings.max_size is not None:
            known = known[: max(0, settings.max_size - len(specials))]
        return cls(specials, known, **options)

    by_frequency: ClassVar[bool] = False

    @staticmethod
    def options(settings: TokenizerSettings) -> dict[str, Any]:
        """Further arguments of the constructor."""
        return {}

    def count(self, texts: Iterable[str | Sequence[str]]) -> Counter[str]:
        """The frequency of each token."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(self.parts(text))
        return counts

    @abstractmethod
    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        """The text split into tokens."""

    def __len__(self) -> int:
        return len(self.specials) + len(self.tokens)

    def encode(self, text: str | Sequence[str]) -> list[int]:
        number, unknown = self.numbers.get, self.unknown
        return [number(part, unknown) for part in self.parts(text)]

    def name(self, token: int) -> str:
        specials = len(self.specials)
        return self.specials[token] if token < specials else self.tokens[token - specials]

    def words(self, text: str) -> list[str]:
        return list(self.parts(text))

    def unknown_parts(self, text: str) -> list[str]:
        return list(dict.fromkeys(part for part in self.parts(text) if part not in self.numbers))

    def pieces(self, tokens: Iterable[int]) -> list[str]:
        """The texts of the known tokens, for `decode`."""
        specials = len(self.specials)
        return [
            "\N{REPLACEMENT CHARACTER}" if token == self.unknown else self.tokens[token - specials]
            for token in tokens
            if token >= specials or token == self.unknown
        ]

    def state(self) -> dict[str, Any]:
        return {"tokens": list(self.tokens)}

    @classmethod
    def from_state(cls, specials: Sequence[str], lower: bool, state: dict[str, Any]) -> "VocabularyTokenizer":
        return cls(specials, state["tokens"], lower=lower)


class CharTokenizer(VocabularyTokenizer):
    """A token for each character."""

    kind = "char"

    def parts(self, text: str | Sequence[str]) -> str:
        return self.prepared(text if isinstance(text, str) else " ".join(text))

    def decode(self, tokens: Iterable[int]) -> str:
        return "".join(self.pieces(tokens))

    def count(self, texts: Iterable[str | Sequence[str]]) -> Counter[str]:
        counts = np.zeros(sys.maxunicode + 1, np.int64)
        for codes in code_points("".join(map(self.parts, texts))):
            part = np.bincount(codes)
            counts[: len(part)] += part
        return Counter({chr(code): int(counts[code]) for code in counts.nonzero()[0]})

    def encode_all(self, texts: Iterable[str | Sequence[str]], dtype: DTypeLike = np.int32) -> Encoded:
        prepared = list(map(self.parts, texts))
        lengths = np.fromiter(map(len, prepared), np.int64, len(prepared))
        tokens, table = np.empty(lengths.sum(), dtype), self.table.astype(dtype)
        start = 0
        for codes in code_points("".join(prepared)):
            part = tokens[start : start + len(codes)]
            np.take(table, codes, out=part, mode="clip")
            start += len(codes)
        return Encoded(tokens, lengths)

    @cached_property
    def table(self) -> np.ndarray:
        """The token of each code point, int32; the last one is that of all larger code points, too."""
        codes = [ord(token) for token in self.tokens]
        table = np.full(max(codes, default=0) + 2, self.unknown, np.int32)
        table[codes] = range(len(self.specials), len(self))
        return table


def code_points(text: str) -> Iterator[np.ndarray]:
    """The code points of a text's characters, uint32, a part at a time."""
    for start in range(0, len(text), CODED_AT_ONCE):
        part = text[start : start + CODED_AT_ONCE]
        yield np.frombuffer(part.encode("utf-32-le", "surrogatepass"), np.uint32)


class WordTokenizer(VocabularyTokenizer):
    """A token for each word and each punctuation mark; in a stream, for each end of line too.

    Args:
        division: See TokenizerSettings.words.
    """

    kind = "word"
    by_frequency = True

    def __init__(
        self, specials: Sequence[str], tokens: Sequence[str], *, lower: bool, division: Division = "unicode"
    ) -> None:
        super().__init__(specials, tokens, lower=lower)
        self.division = division

    @staticmethod
    def options(settings: TokenizerSettings) -> dict[str, Any]:
        return {"division": settings.words}

    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        if not isinstance(text, str):
            return [self.prepared(word) for word in text]
        return divide(self.prepared(text), self.division, with_line_ends=self.specials == STREAM_SPECIALS)

    def decode(self, tokens: Iterable[int]) -> str:
        return join(self.pieces(tokens), self.division)

    def state(self) -> dict[str, Any]:
        # Without the default of dltool 0.1, so that its runs keep their fingerprint.
        return super().state() | ({} if self.division == "alphanumeric" else {"words": self.division})

    @classmethod
    def from_state(cls, specials: Sequence[str], lower: bool, state: dict[str, Any]) -> "WordTokenizer":
        division = state.get("words", "alphanumeric")
        return cls(specials, state["tokens"], lower=lower, division=division)
