"""Byte-pair encoding, by the tokenizers library."""

from collections.abc import Iterable, Sequence
from typing import Any

from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.text.tokenizer import Tokenizer, TokenizerSettings


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
        """Merge the most frequent pairs until the vocabulary has `max_size` tokens or no pair occurs twice."""
        library = tokenizers()
        if settings.max_size is None:
            raise ConfigError("data.tokenizer.kind=bpe needs a vocabulary size", "data.tokenizer.max_size=1000")
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


def tokenizers() -> Any:
    """The tokenizers library, imported on first use."""
    try:
        import tokenizers as library
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise ConfigError("tokenizer.kind=bpe needs the tokenizers library", install("text")) from error
    return library
