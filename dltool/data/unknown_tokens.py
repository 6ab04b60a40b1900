"""Notes on the share of held-out tokens that a vocabulary lacks."""

from collections.abc import Mapping

import numpy as np

from dltool.text.tokenizer import Tokenizer

COUNTED_AT_ONCE = 2**20  # Tokens; a comparison of all takes as much memory as a long text.
LARGEST_SHARE = 0.2  # Above it, there is a warning.


def count_unknown(tokens: np.ndarray, tokenizer: Tokenizer) -> int:
    parts = range(0, len(tokens), COUNTED_AT_ONCE)
    return sum(int(np.count_nonzero(tokens[start : start + COUNTED_AT_ONCE] == tokenizer.unknown)) for start in parts)


def unknown_share(tokens: np.ndarray, tokenizer: Tokenizer) -> float:
    return count_unknown(tokens, tokenizer) / len(tokens) if len(tokens) else 0.0


def unknown_notes(
    shares: Mapping[str, float], tokenizer: Tokenizer, key: str, *, of_words: bool = False, left_out: bool = False
) -> list[str]:
    """The shares, and a warning if one is above LARGEST_SHARE.

    Args:
        shares: The share of unknown tokens of each split; the training split is not mentioned unless it is alone.
        tokenizer: The vocabulary; nothing is said of one of characters that has all tokens, nor of byte pairs.
        key: The key of the tokenizer's settings, for the remedy.
        of_words: Whether the data needs a vocabulary of words.
        left_out: Whether unknown words are left out, not read as `<unk>`.
    """
    splits = {name: share for name, share in shares.items() if name != "train" or len(shares) == 1}
    if not splits or tokenizer.kind == "bpe" or (tokenizer.kind != "word" and not any(splits.values())):
        return []
    what = "words" if tokenizer.kind == "word" else "characters"
    listed = ", ".join(f"{share:.1%} of the {name} {what}" for name, share in splits.items())
    notes = [f"not in the vocabulary ({key}): {listed}"]
    if (worst := max(splits.values())) > LARGEST_SHARE:
        fewer = f"{key}.kind=char or {key}.kind=bpe {key}.max_size=1000 has fewer unknown tokens"
        if of_words or left_out or tokenizer.kind != "word":
            fewer = f"{key}.lower=true, {key}.min_freq=1 or more training text leaves fewer unknown"
        effect = "are left out" if left_out else "are all the same to the model, <unk>"
        notes.append(f"warning: {worst:.0%} of the {what} of a split are unknown and {effect}; {fewer}")
    return notes
