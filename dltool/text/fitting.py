"""Fits a tokeniser to a training split, and loads a saved one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from dltool.text.bpe import BpeTokenizer
from dltool.text.tokenizer import Form, Tokenizer, TokenizerSettings, normalized
from dltool.text.vocabulary import CharTokenizer, WordTokenizer

KINDS: dict[str, Any] = {kind.kind: kind for kind in (CharTokenizer, WordTokenizer, BpeTokenizer)}


def fit_tokenizer(
    settings: TokenizerSettings, texts: Iterable[str | Sequence[str]], specials: Sequence[str]
) -> Tokenizer:
    """Fit the tokeniser of a training split.

    Args:
        settings: See TokenizerSettings.
        texts: Of the training split only; each a text, or a list of words.
        specials: The first tokens of the vocabulary.

    Raises:
        ConfigError: If the tokenizers library is missing, or max_size is too small for it.
    """
    texts = [in_form(text, settings.form) for text in texts]
    kind = settings.kind
    if kind == "auto":
        kind = "char" if all(isinstance(text, str) for text in texts) else "word"
    tokenizer: Tokenizer = KINDS[kind].fit(texts, specials, settings)
    tokenizer.form = settings.form
    return tokenizer


def in_form(text: str | Sequence[str], form: Form) -> str | Sequence[str]:
    return normalized(text, form) if isinstance(text, str) else [normalized(word, form) for word in text]


def load_tokenizer(saved: str) -> Tokenizer:
    """The tokeniser that `Tokenizer.to_json` saved."""
    state = json.loads(saved)
    tokenizer: Tokenizer = KINDS[state["kind"]].from_state(state["specials"], state["lower"], state)
    tokenizer.form = state.get("form", "none")
    return tokenizer


def fingerprint(*saved: str) -> str:
    """SHA-256 of tokenisers as JSON, by which a checkpoint identifies those it was trained with."""
    return hashlib.sha256("\n".join(saved).encode()).hexdigest()
