"""Pairs of texts that are made on the spot."""

from collections import Counter

import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.randomness import generator
from dltool.core.spec import BEGIN, END
from dltool.data.sequence_data import PairData
from dltool.data.synthetic_pairs import Reversal, Sorting, numbers
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import TokenizerSettings

AUTO = TokenizerSettings(kind="auto")


def prepared(load):
    data = PairData(load, tokenizer=AUTO, target_tokenizer=AUTO)
    data.prepare(0, torch.device("cpu"))
    return data


@pytest.mark.parametrize(
    ("direction", "source", "target"),
    [
        ("to_words", "205", "two hundred and five"),
        ("to_digits", "two hundred and five", "205"),
        ("to_chinese", "205", "二百零五"),
    ],
)
def test_every_number_is_told_exactly_once(direction, source, target):
    data = prepared(lambda rng: numbers(rng, direction=direction, max_number=299, num_samples=300))
    read, tell = data.preprocessing.tokenizer, load_tokenizer(data.spec.target_tokenizer)
    pairs = {}
    for split in data.sequences.values():
        for row, told in zip(split.inputs.rows(), split.targets.rows(), strict=True):
            assert told[0] == BEGIN
            assert told.count(END) == 1
            pairs[read.decode(row)] = tell.decode(told)
    assert len(pairs) == 300, "a number stands in two splits"
    assert pairs[source] == target
    assert data.choices["data.tokenizer.kind"] == ("word" if direction == "to_digits" else "char")
    assert data.choices["data.target_tokenizer.kind"] == ("word" if direction == "to_words" else "char")


def test_the_same_seed_draws_the_same_numbers():
    first, again, other = (numbers(generator(seed, "data")).texts for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first.inputs)) == 10_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_number": 99, "num_samples": 101}, "there are 100 numbers up to data.max_number=99"),
        ({"max_number": 10**9}, "numbers are supported up to 99,999,999"),
    ],
)
def test_there_must_be_as_many_numbers(settings, message):
    with pytest.raises(DataError, match=message):
        numbers(torch.Generator(), **settings)


@pytest.mark.parametrize("symbols", ["digits", "letters"])
def test_sequences_are_sorted_and_reversed(symbols):
    for load, right in ((Sorting, lambda text: "".join(sorted(text))), (Reversal, lambda text: text[::-1])):
        raw = load(generator(0, "data"), symbols=symbols, shortest=2, longest=16, num_samples=3_000)
        assert len(set(raw.texts.inputs)) == 3_000
        assert list(raw.texts.targets) == [right(text) for text in raw.texts.inputs]
        lengths = Counter(map(len, raw.texts.inputs))
        assert sorted(lengths) == list(range(2, 17))
        assert max(lengths.values()) - min(n for length, n in lengths.items() if length > 2) <= 1


def test_all_sequences_can_be_asked_for_and_no_more():
    raw = Reversal(torch.Generator(), shortest=1, longest=2, num_samples=110)
    assert sorted(raw.texts.inputs) == sorted([*"0123456789", *(f"{n:02}" for n in range(100))])
    with pytest.raises(DataError, match="there are 110 sequences of 1 to 2 of 10 symbols"):
        Reversal(torch.Generator(), shortest=1, longest=2, num_samples=111)
