"""The words whose vectors are most similar to that of a word."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.hints import nearest
from dltool.core.shell import quoted
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.uses import has_word_vectors
from dltool.text.tokenizer import Tokenizer


def similar_words(run: LoadedRun, word: str, count: int) -> list[tuple[str, float]]:
    """The words nearest to a word by the vectors of a run; see nearest_words.

    Raises:
        ConfigError: The run's model has no word vectors.
    """
    if not has_word_vectors(run.task):
        raise ConfigError(f"{run.title} has no word vectors", "train them: model=word2vec data=corpus data.path=FILE")
    return nearest_words(run.task.word_vectors, run.preprocessing.tokenizer, word, count)


def nearest_words(vectors: Tensor, tokenizer: Tokenizer, word: str, count: int) -> list[tuple[str, float]]:
    """The words with the largest cosine similarity to a word, each with that cosine, the nearest first.

    Args:
        vectors: The vectors of all tokens, `(V, D)`.
        tokenizer: The tokenizer of the training.
        word: One word.
        count: The number of words; fewer if the vocabulary is smaller.

    Raises:
        DataError: As for token_of.
    """
    token = token_of(tokenizer, word, lambda near: f"--similar {quoted(near)}")
    first = len(tokenizer.specials)
    unit = F.normalize(vectors.float()[first:], dim=1)
    cosines = unit @ unit[token - first]
    cosines[token - first] = -2  # Less than any cosine.
    best = cosines.topk(min(count, len(cosines) - 1))
    return [
        (tokenizer.name(first + row), cosine)
        for row, cosine in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def token_of(tokenizer: Tokenizer, word: str, hint: Callable[[str], str]) -> int:
    """The token of a word.

    Args:
        tokenizer: The tokenizer of the training.
        word: One word.
        hint: What to type with another word.

    Raises:
        DataError: `word` is more than one word, or is not in the vocabulary.
    """
    tokens = tokenizer.encode(word)
    if len(tokens) != 1:
        raise DataError(f"{word!r} is {len(tokens)} words of this vocabulary; one is needed", hint("house"))
    if tokens[0] == tokenizer.unknown:
        known = [tokenizer.name(token) for token in range(len(tokenizer.specials), len(tokenizer))]
        near = nearest(tokenizer.prepared(word), known)
        raise DataError(f"{word!r} is not in the vocabulary of {len(known):,} words", hint(near) if near else None)
    return tokens[0]
