"""A column of texts in little memory."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import overload

SEPARATOR = "\0"  # Files with this character are refused; see dltool.data.encodings.


class TextColumn(Sequence[str]):
    """The cells of a column, joined to one text for each chunk of rows: a byte for most characters, where a list of
    texts takes 60 bytes more for each.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)
        self._ends = list(accumulate(text.count(SEPARATOR) + 1 for text in self._texts))

    @classmethod
    def of(cls, chunks: Iterable[Sequence[str]]) -> "TextColumn":
        return cls(SEPARATOR.join(chunk) for chunk in chunks if chunk)

    def chunks(self) -> Iterator[list[str]]:
        """The cells, some at a time."""
        return (text.split(SEPARATOR) for text in self._texts)

    def contains(self, character: str) -> bool:
        """Whether a cell has the character."""
        return any(character in text for text in self._texts)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.chunks())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            first, last, step = place.indices(len(self))
            return self._range(first, last)[::step] if step > 0 else list(self)[place]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place = int(place) % len(self)
        return self._range(place, place + 1)[0]

    def _range(self, first: int, last: int) -> list[str]:
        if last <= first:
            return []
        chunk = bisect_right(self._ends, first)
        start = self._ends[chunk - 1] if chunk else 0
        cells = self._texts[chunk].split(SEPARATOR)
        while start + len(cells) < last:
            chunk += 1
            cells += self._texts[chunk].split(SEPARATOR)
        return cells[first - start : last - start]


def chunks_of(cells: Sequence[str]) -> Iterator[Sequence[str]]:
    """The cells, some at a time."""
    return cells.chunks() if isinstance(cells, TextColumn) else iter((cells,))


def mapped(cells: Sequence[str], change: Callable[[str], str]) -> Sequence[str]:
    """The column with each text changed; equal texts of a chunk are changed once."""

    def changed(chunk: Sequence[str]) -> list[str]:
        known = {cell: change(cell) for cell in set(chunk)}
        return [known[cell] for cell in chunk]

    return TextColumn.of(map(changed, chunks_of(cells))) if isinstance(cells, TextColumn) else changed(cells)
