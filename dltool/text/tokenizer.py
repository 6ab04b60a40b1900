"""Tokenisers: text to the numbers that a model takes, and back. Fitted on the training split alone, saved with a run.

A vocabulary opens with its special tokens: `<unk>` alone for a stream of text; the four of dltool.spec where texts are
sentences of different lengths.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from dltool.component import Positive
from dltool.errors import ConfigError, DataError

STREAM_SPECIALS = ("<unk>",)
WORD = re.compile(r"\w+|[^\w\s]")
BLANK = re.compile(r"_{2,}|<unk>")  # In a text that a person typed: what is to be guessed.
WORD_OR_NEWLINE = re.compile(r"\w+|[^\w\s]|\n")
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


class VocabularyTokenizer(Tokenizer):
    """Characters or words with a list of those that are known.

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
        """Take the vocabulary from the training split; of equally frequent tokens the first ones by their order."""
        empty = cls(specials, (), lower=settings.lower)
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(empty.parts(text))
        for special in specials:
            del counts[special]  # A text may hold it, ready-made.
        known = sorted(token for token, count in counts.items() if count >= settings.min_freq)
        if settings.max_size is not None or cls.by_frequency:
            known.sort(key=lambda token: -counts[token])
        if settings.max_size is not None:
            known = known[: max(0, settings.max_size - len(specials))]
        return cls(specials, known, lower=settings.lower)

    by_frequency: ClassVar[bool] = False

    @abstractmethod
    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        """The text in pieces."""

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

    def strangers(self, text: str) -> list[str]:
        return list(dict.fromkeys(part for part in self.parts(text) if part not in self.numbers))

    def pieces(self, tokens: Iterable[int]) -> list[str]:
        """The known tokens' texts, for `decode`."""
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
    """A token for each word and each punctuation mark; in a stream, for each end of a line too."""

    kind = "word"
    by_frequency = True

    def parts(self, text: str | Sequence[str]) -> Sequence[str]:
        if not isinstance(text, str):
            return [self.prepared(word) for word in text]
        pattern = WORD_OR_NEWLINE if self.specials == STREAM_SPECIALS else WORD
        return pattern.findall(self.prepared(text))

    def decode(self, tokens: Iterable[int]) -> str:
        return " ".join(self.pieces(tokens)).replace(" \n ", "\n").replace(" \n", "\n")


class BpeTokenizer(Tokenizer):
    """Byte-pair encoding over bytes, by the tokenizers library: no text is unknown."""

    kind = "bpe"

    def __init__(self, specials: Sequence[str], saved: str, *, lower: bool) -> None:
        super().__init__(specials, lower=lower)
        self.saved = saved
        self.inner = tokenizers().Tokenizer.from_str(saved)

    @classmethod
    def fit(
        cls, texts: Iterable[str | Sequence[str]], specials: Sequence[str], settings: TokenizerSettings
    ) -> "BpeTokenizer":
        """Merge the most frequent pairs until there are `max_size` tokens (or no pair that comes twice)."""
        library = tokenizers()
        if settings.max_size is None:
            raise ConfigError("data.tokenizer.kind=bpe needs a size of its vocabulary", "data.tokenizer.max_size=1000")
        smallest = 256 + len(specials)
        if settings.max_size < smallest:
            raise ConfigError(
                f"data.tokenizer.max_size={settings.max_size}: the bytes and special tokens alone are {smallest}",
                f"data.tokenizer.max_size={2 * smallest}",
            )
        inner = library.Tokenizer(library.models.BPE())
        inner.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=settings.max_size,
            special_tokens=list(specials),
            initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        whole = (text if isinstance(text, str) else " ".join(text) for text in texts)
        inner.train_from_iterator((text.lower() if settings.lower else text for text in whole), trainer)
        return cls(specials, inner.to_str(), lower=settings.lower)

    def __len__(self) -> int:
        size: int = self.inner.get_vocab_size()
        return size

    def encode(self, text: str | Sequence[str]) -> list[int]:
        whole = self.prepared(text if isinstance(text, str) else " ".join(text))
        tokens: list[int] = self.inner.encode(whole, add_special_tokens=False).ids
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        text: str = self.inner.decode([token for token in tokens if token >= len(self.specials)])
        return text

    def name(self, token: int) -> str:
        return self.decode([token]) if token >= len(self.specials) else self.specials[token]

    def state(self) -> dict[str, Any]:
        return {"tokenizer": self.saved}

    @classmethod
    def from_state(cls, specials: Sequence[str], lower: bool, state: dict[str, Any]) -> "BpeTokenizer":
        return cls(specials, state["tokenizer"], lower=lower)


KINDS: dict[str, Any] = {kind.kind: kind for kind in (CharTokenizer, WordTokenizer, BpeTokenizer)}


def fit_tokenizer(
    settings: TokenizerSettings, texts: Iterable[str | Sequence[str]], specials: Sequence[str]
) -> Tokenizer:
    """The tokeniser of a training split.

    Args:
        settings: See TokenizerSettings.
        texts: Of the training split alone; each a text, or words that are told apart already.
        specials: What opens the vocabulary.

    Raises:
        ConfigError: The tokenizers library is missing, or max_size is too small for it.
    """
    texts = list(texts)
    kind = settings.kind
    if kind == "auto":
        kind = "char" if all(isinstance(text, str) for text in texts) else "word"
    tokenizer: Tokenizer = KINDS[kind].fit(texts, specials, settings)
    return tokenizer


def load_tokenizer(saved: str) -> Tokenizer:
    """The tokeniser that `Tokenizer.to_json` gave."""
    state = json.loads(saved)
    tokenizer: Tokenizer = KINDS[state["kind"]].from_state(state["specials"], state["lower"], state)
    return tokenizer


def fingerprint(*saved: str) -> str:
    """SHA-256 of tokenisers as JSON, by which a checkpoint knows those it was trained with."""
    return hashlib.sha256("\n".join(saved).encode()).hexdigest()


def tokenizers() -> Any:
    """The library, imported when it is used."""
    try:
        import tokenizers as library
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise ConfigError("tokenizer.kind=bpe needs the tokenizers library", 'pip install "dltool[text]"') from error
    return library
