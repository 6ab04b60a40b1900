"""Synthetic pairs of texts: the correct output is known exactly, and no pair is in two splits."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split, Text, Texts
from dltool.data.number_words import LARGEST, chinese_numeral, english_words
from dltool.data.sequence_data import PairData
from dltool.declarations.component import Membership, Positive, Source, register, requires

LISTED = 100_000  # Up to this number, all are listed and some of them chosen.
SYMBOLS = {"digits": "0123456789", "letters": "abcdefghijklmnopqrstuvwxyz"}


shortest_is_at_most_longest = requires(
    lambda config: config.data.shortest <= config.data.longest,
    "data.shortest is more than data.longest",
    hint="data.longest=8",
)


@register("data", "numbers", into=PairData, inputs="sequence", targets="sequence")
def numbers(
    rng: torch.Generator,
    *,
    direction: Source[Literal["to_words", "to_digits", "to_chinese"]] = "to_words",
    max_number: Source[Positive[int]] = 99_999,
    num_samples: Membership[Positive[int]] = 10_000,
) -> RawData:
    """Different whole numbers from 0 on, each drawn with the same probability, in digits and in words.

    Args:
        rng: The generator seeded with `data.split_seed`.
        direction: 205 → two hundred and five ("to_words"), the reverse ("to_digits"), or 205 → 二百零五
            ("to_chinese").
        max_number: The largest, at most 99,999,999.
        num_samples: Number of samples, at most all of them.

    Raises:
        DataError: Too few numbers exist, or they are too large.
    """
    if max_number > LARGEST:
        raise DataError(
            f"data.max_number={max_number}: numbers are supported up to {LARGEST:,}",
            setting("data.max_number", LARGEST),
        )
    if num_samples > max_number + 1:
        raise DataError(
            f"data.num_samples={num_samples}: there are {max_number + 1} numbers up to data.max_number={max_number}",
            f"data.num_samples={max_number + 1}",
        )
    drawn = distinct(num_samples, max_number + 1, rng)
    digits = [str(number) for number in drawn]
    if direction == "to_chinese":
        return pairs(digits, [chinese_numeral(number) for number in drawn], "numbers")
    words = [english_words(number) for number in drawn]
    return pairs(words, digits, "numbers") if direction == "to_digits" else pairs(digits, words, "numbers")


class DrawnSequences:
    """Distinct sequences of digits or letters, each with its target text.

    The constructor returns the data.

    Args:
        rng: The generator seeded with `data.split_seed`.
        symbols: Symbols of the sequences.
        shortest: Length of the shortest. All lengths are equally frequent, as far as enough sequences of each exist.
        longest: Length of the longest.
        num_samples: Number of sequences.

    Raises:
        DataError: Too few sequences exist.
    """

    origin: str

    def __new__(
        cls,
        rng: torch.Generator,
        *,
        symbols: Source[Literal["digits", "letters"]] = "digits",
        shortest: Source[Positive[int]] = 3,
        longest: Source[Positive[int]] = 8,
        num_samples: Membership[Positive[int]] = 10_000,
    ) -> Any:
        drawn = sequences(rng, SYMBOLS[symbols], shortest, longest, num_samples)
        return pairs(drawn, [cls.target(text) for text in drawn], cls.origin)

    @staticmethod
    def target(text: str) -> str:
        raise NotImplementedError


@register("data", "sorting", into=PairData, inputs="sequence", targets="sequence")
@shortest_is_at_most_longest
class Sorting(DrawnSequences):
    """Distinct sequences, 3142, with the sorted sequence as target, 1234."""

    origin = "sorting"

    @staticmethod
    def target(text: str) -> str:
        return "".join(sorted(text))


@register("data", "reversal", into=PairData, inputs="sequence", targets="sequence")
@shortest_is_at_most_longest
class Reversal(DrawnSequences):
    """Distinct sequences, 3142, with the reversed sequence as target, 2413."""

    origin = "reversal"

    @staticmethod
    def target(text: str) -> str:
        return text[::-1]


def pairs(inputs: Sequence[Text], targets: Sequence[Text], origin: str) -> RawData:
    rows = torch.arange(len(inputs))
    return RawData(Split(rows, rows), None, None, "sequence", texts=Texts(inputs, targets), origin=origin)


def distinct(count: int, total: int, rng: torch.Generator) -> list[int]:
    """`count` distinct numbers of 0 … total - 1, in random order; few of many are drawn without listing all."""
    if total <= max(4 * count, LISTED):
        drawn: list[int] = torch.randperm(total, generator=rng)[:count].tolist()
        return drawn
    found: dict[int, None] = {}
    while len(found) < count:
        found.update(dict.fromkeys(torch.randint(total, (count,), generator=rng).tolist()))
    return list(found)[:count]


def sequences(rng: torch.Generator, symbols: str, shortest: int, longest: int, count: int) -> list[str]:
    """Distinct texts, equally many of each length as far as enough exist, the shortest first.

    Raises:
        DataError: Too few texts exist.
    """
    available = sum(len(symbols) ** length for length in range(shortest, longest + 1))
    if count > available:
        raise DataError(
            f"data.num_samples={count}: there are {available} sequences of {shortest} to {longest} of "
            f"{len(symbols)} symbols",
            f"{setting('data.num_samples', available)}, or data.longest={longest + 1}",
        )
    texts: list[str] = []
    for length in range(shortest, longest + 1):
        share = (count - len(texts)) // (longest + 1 - length)
        total = len(symbols) ** length
        texts += texts_of(length, min(share, total), symbols, rng)
    return texts


def texts_of(length: int, count: int, symbols: str, rng: torch.Generator) -> list[str]:
    """`count` distinct texts of one length, in random order."""
    if len(symbols) ** length <= max(4 * count, LISTED):
        everything = ["".join(text) for text in product(symbols, repeat=length)]
        return [everything[place] for place in distinct(count, len(everything), rng)]
    found: dict[str, None] = {}
    while len(found) < count:
        rows = torch.randint(len(symbols), (count, length), generator=rng).tolist()
        found.update(dict.fromkeys("".join(symbols[code] for code in row) for row in rows))
    return list(found)[:count]
