"""Pairs of texts made on the spot: what is right is known exactly, and no pair stands in two splits."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split, Text, Texts
from dltool.data.number_words import LARGEST, chinese_numeral, english_words
from dltool.data.sequence_data import PairData
from dltool.declarations.component import Membership, Positive, register, requires

LISTED = 100_000  # Of so many, all are listed, and some of them chosen.
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
    direction: Literal["to_words", "to_digits", "to_chinese"] = "to_words",
    max_number: Positive[int] = 99_999,
    num_samples: Membership[Positive[int]] = 10_000,
) -> RawData:
    """Different whole numbers from 0 on, each drawn with the same probability, in digits and in words.

    Args:
        rng: That of `data.split_seed`.
        direction: 205 → two hundred and five ("to_words"), the way back ("to_digits"), or 205 → 二百零五
            ("to_chinese").
        max_number: The largest, at most 99,999,999.
        num_samples: How many, at most all of them.

    Raises:
        DataError: There are not as many numbers, or they are too large.
    """
    if max_number > LARGEST:
        raise DataError(
            f"data.max_number={max_number}: numbers are told up to {LARGEST:,}",
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
    """Different sequences of digits or letters, each with the text that follows from it.

    Constructing one gives the data.

    Args:
        rng: That of `data.split_seed`.
        symbols: What they are made of.
        shortest: Symbols of the shortest. Every length comes as often, as far as there are so many sequences of it.
        longest: Symbols of the longest.
        num_samples: How many sequences.

    Raises:
        DataError: There are not as many.
    """

    origin: str

    def __new__(
        cls,
        rng: torch.Generator,
        *,
        symbols: Literal["digits", "letters"] = "digits",
        shortest: Positive[int] = 3,
        longest: Positive[int] = 8,
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
    """Different sequences, 3142, each to be put in order, 1234."""

    origin = "sorting"

    @staticmethod
    def target(text: str) -> str:
        return "".join(sorted(text))


@register("data", "reversal", into=PairData, inputs="sequence", targets="sequence")
@shortest_is_at_most_longest
class Reversal(DrawnSequences):
    """Different sequences, 3142, each to be written from its end, 2413."""

    origin = "reversal"

    @staticmethod
    def target(text: str) -> str:
        return text[::-1]


def pairs(inputs: Sequence[Text], targets: Sequence[Text], origin: str) -> RawData:
    rows = torch.arange(len(inputs))
    return RawData(Split(rows, rows), None, None, "sequence", texts=Texts(inputs, targets), origin=origin)


def distinct(count: int, total: int, rng: torch.Generator) -> list[int]:
    """So many different numbers of 0 … total - 1, in random order; few of many are not drawn from a list of all."""
    if total <= max(4 * count, LISTED):
        drawn: list[int] = torch.randperm(total, generator=rng)[:count].tolist()
        return drawn
    found: dict[int, None] = {}
    while len(found) < count:
        found.update(dict.fromkeys(torch.randint(total, (count,), generator=rng).tolist()))
    return list(found)[:count]


def sequences(rng: torch.Generator, symbols: str, shortest: int, longest: int, count: int) -> list[str]:
    """Different texts, of every length as many, as far as there are so many of it; the shortest ones first.

    Raises:
        DataError: There are not as many.
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
    """So many different texts of one length, in random order."""
    if len(symbols) ** length <= max(4 * count, LISTED):
        everything = ["".join(text) for text in product(symbols, repeat=length)]
        return [everything[place] for place in distinct(count, len(everything), rng)]
    found: dict[str, None] = {}
    while len(found) < count:
        rows = torch.randint(len(symbols), (count, length), generator=rng).tolist()
        found.update(dict.fromkeys("".join(symbols[code] for code in row) for row in rows))
    return list(found)[:count]
