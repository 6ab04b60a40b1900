"""Tokenisers with a vocabulary: of characters, or of words."""

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from dltool.text.tokenizer import STREAM_SPECIALS, Tokenizer, TokenizerSettings

WORD = re.compile(r"\w+|[^\w\s]")
WORD_OR_NEWLINE = re.compile(r"\w+|[^\w\s]|\n")


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
        empty = cls(specials, (), lower=settings.lower)
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(empty.parts(text))
        for special in specials:
            del counts[special]  # A text may contain it literally.
        known = sorted(token for token, count in counts.items() if count >= settings.min_freq)
        if settings.max_size is not None or cls.by_frequency:
            known.sort(key=lambda token: -counts[token])
        if settings.max_size is not None:
            known = known[: max(0, settings.max_size - len(specials))]
        return cls(specials, known, lower=settings.lower)

    by_frequency: ClassVar[bool] = False

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

    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        return self.prepared(text if isinstance(text, str) else " ".join(text))

    def decode(self, tokens: Iterable[int]) -> str:
        return "".join(self.pieces(tokens))


class WordTokenizer(VocabularyTokenizer):
    """A token for each word and each punctuation mark; in a stream, for each end of line too."""

    kind = "word"
    by_frequency = True

    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        if not isinstance(text, str):
            return [self.prepared(word) for word in text]
        pattern = WORD_OR_NEWLINE if self.specials == STREAM_SPECIALS else WORD
        return pattern.findall(self.prepared(text))

    def decode(self, tokens: Iterable[int]) -> str:
        return " ".join(self.pieces(tokens)).replace(" \n ", "\n").replace(" \n", "\n")
