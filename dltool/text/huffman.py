"""Huffman trees: short codes for frequent symbols."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple


class Code(NamedTuple):
    """The path from the root of a binary tree to one leaf.

    Attributes:
        nodes: The inner nodes on it, the root first; the root is the last of the `len(counts) - 1` inner nodes.
        turns: At each of them, 0 or 1: which child comes next.
    """

    nodes: tuple[int, ...]
    turns: tuple[int, ...]


def huffman_codes(counts: Sequence[int]) -> list[Code]:
    """A prefix code for the symbols, with the minimal total length Σ count · length.

    Repeatedly joins the two rarest trees (Huffman 1952, doi:10.1109/JRPROC.1952.273898); among equally rare ones,
    those created first.

    Args:
        counts: Frequency of each symbol; at least two symbols, some of which may have frequency 0.
    """
    size = len(counts)
    heap = [(count, symbol) for symbol, count in enumerate(counts)]
    heapq.heapify(heap)
    parents, turns = [0] * (2 * size - 1), [0] * (2 * size - 1)
    for node in range(size, 2 * size - 1):
        rarest = [heapq.heappop(heap), heapq.heappop(heap)]
        for turn, (_, child) in enumerate(rarest):
            parents[child], turns[child] = node, turn
        heapq.heappush(heap, (rarest[0][0] + rarest[1][0], node))
    return [code(symbol, parents, turns, size) for symbol in range(size)]


def code(symbol: int, parents: Sequence[int], turns: Sequence[int], size: int) -> Code:
    """Climb from a leaf to the root, node 2 · size - 2, and return the reversed path."""
    nodes, taken, root = [], [], 2 * size - 2
    while symbol != root:
        taken.append(turns[symbol])
        symbol = parents[symbol]
        nodes.append(symbol - size)
    return Code(tuple(reversed(nodes)), tuple(reversed(taken)))
