"""Huffman codes: no longer than need be, and none the beginning of another."""

import itertools
import random

import pytest

from dltool.text.huffman import huffman_codes


def test_a_small_tree_by_hand() -> None:
    """1 + 1 = 2, 2 + 2 = 4, 4 + 5 = 9: the frequent symbol has one turn, the rare ones three."""
    codes = huffman_codes([1, 5, 2, 1])
    assert [len(code.turns) for code in codes] == [3, 1, 2, 3]
    assert all(code.nodes[0] == 2 for code in codes), "every way begins at the root, the last of three inner nodes"


@pytest.mark.parametrize("seed", range(5))
def test_no_code_begins_another_and_the_kraft_sum_is_one(seed: int) -> None:
    draw = random.Random(seed)
    codes = [code.turns for code in huffman_codes([draw.choice([0, 1, 3, 100, 10_000]) for _ in range(40)])]
    for first, second in itertools.permutations(codes, 2):
        assert second[: len(first)] != first
    assert sum(2.0 ** -len(code) for code in codes) == 1


@pytest.mark.parametrize("counts", [[1, 1], [7, 1, 1, 1], [5, 9, 12, 13, 16], [2, 3, 5, 8, 13], [0, 0, 4, 4, 1]])
def test_the_total_length_is_the_least(counts: list[int]) -> None:
    """Against all lengths that a binary tree can have (Kraft's inequality)."""
    total = sum(n * len(code.turns) for n, code in zip(counts, huffman_codes(counts), strict=True))
    size = len(counts)
    possible = (
        lengths
        for lengths in itertools.product(range(1, size), repeat=size)
        if sum(2.0**-length for length in lengths) <= 1
    )
    assert total == min(sum(n * length for n, length in zip(counts, lengths, strict=True)) for lengths in possible)


def test_siblings_share_all_nodes() -> None:
    codes = huffman_codes([1, 1, 8, 9])
    assert codes[0].nodes == codes[1].nodes
    assert codes[0].turns[:-1] == codes[1].turns[:-1]
    assert codes[0].turns[-1] != codes[1].turns[-1]
