"""The rows of a CSV file, read in chunks of a few megabytes into columns."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Literal

import numpy as np

from dltool.core.errors import DataError
from dltool.data.text_column import TextColumn
from dltool.data.text_file import TextFile

Delimiter = Literal["auto", "comma", "semicolon", "tab", "pipe"]
Quote = Literal["auto", "double", "none"]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SNIFFED_CHARACTERS, SNIFFED_RECORDS = 65_536, 50
SPACES = "".join(character for character in map(chr, range(0x3001)) if character.isspace())


class Rows:
    """The rows of a file that are not blank, column by column.

    Attributes:
        first: The cells of the first row.
        joined: Whether a quoted cell contains a line end, or what looks like one.
    """

    def __init__(self, file: TextFile, delimiter: str, *, quoted: bool) -> None:
        """Start without rows.

        Args:
            file: The file.
            delimiter: A name of DELIMITERS.
            quoted: Whether a double quote at the start of a cell encloses it.
        """
        self.first: list[str] = []
        self.joined = False
        self._file, self._delimiter, self._quoted = file, delimiter, quoted
        self._sign = DELIMITERS[delimiter]
        self._columns: list[list[str]] = []  # The texts of each TextColumn.
        self._numbers: list[range | np.ndarray] = []
        self._num_lines = self._num_rows = 0

    def read(self, blocks: Iterable[str]) -> None:
        """Read all rows.

        Args:
            blocks: The parts of the file's text.

        Raises:
            DataError: A row has another number of cells than the first one, or a quote is never closed.
        """
        lines = Lines(whole_lines(blocks))
        while (block := lines.next_block()) is not None:
            if self.can_be_split(block):
                self._split(block)
            else:
                lines.push(block)
                self._parse(lines)

    def can_be_split(self, block: str) -> bool:
        """Whether each delimiter separates two cells, none of which begins with a space, which csv would remove."""
        if self._quoted and '"' in block:
            return False
        return block[0] != " " and not any(before + " " in block for before in (self._sign, "\n", "\r"))

    def columns(self, header: bool) -> list[TextColumn]:
        """The cells of each column, without the header. The rows are handed over: this is called once."""
        if header:
            for texts, name in zip(self._columns, self.first, strict=True):
                texts[0] = texts[0][len(name) + 1 :]
            if next(len(part) for part in self._numbers if len(part)) == 1:  # The first chunk has no other row.
                self._columns = [texts[1:] for texts in self._columns]
        columns, self._columns = self._columns, []
        return [TextColumn(texts) for texts in columns]

    def numbers(self, header: bool) -> Sequence[int]:
        """The number of each row in the file, from 1, without the header's."""
        if all(isinstance(part, range) for part in self._numbers):
            return range(1, self._num_rows + 1)[int(header) :]
        return np.concatenate([np.asarray(part) for part in self._numbers])[int(header) :]  # type: ignore[return-value]

    def _split(self, block: str) -> None:
        """Add a block in which every line is a row."""
        if "\r" in block:
            block = block.replace("\r\n", "\n").replace("\r", "\n")
        block = block.removesuffix("\n")
        lines = block.split("\n")
        self._num_lines += len(lines)
        sign, blank = self._sign, SPACES + self._sign
        widths = {line.count(sign) + 1 for line in lines}
        if len(widths) > 1 or (self.first and widths != {len(self.first)}) or not all(x.strip(blank) for x in lines):
            self._add([line.split(sign) for line in lines])
            return
        cells, width = block.replace("\n", sign).split(sign), widths.pop()
        self._append([cells[place::width] for place in range(width)], len(lines))

    def _parse(self, lines: "Lines") -> None:
        """Add the rows of the lines of a block, and of the next one if a quoted cell ends there."""
        reader = csv.reader(
            lines,
            delimiter=self._sign,
            skipinitialspace=True,
            strict=True,  # A quote that is never closed is an error, not one enormous cell.
            quoting=csv.QUOTE_MINIMAL if self._quoted else csv.QUOTE_NONE,
        )
        records: list[list[str]] = []
        count, blocks = 0, lines.num_blocks
        try:
            for record in reader:
                records.append(record)
                count += 1
                self.joined |= reader.line_num > count
                if lines.num_blocks > blocks or not lines.left:
                    self._add(records)
                    records, blocks = [], lines.num_blocks
                    if not lines.left:
                        break
        except csv.Error as error:
            raise DataError(
                f"{self._file.path}: line {self._num_lines + reader.line_num} cannot be read: {error}",
                'a quote inside a quoted cell is written ""; data.quote=none reads quotes as characters',
            ) from error
        self._num_lines += reader.line_num

    def _add(self, records: Sequence[Sequence[str]]) -> None:
        """Add rows, without the blank ones."""
        kept = [place for place, record in enumerate(records) if any(map(str.strip, record))]
        start = self._num_rows + 1
        records, num_rows = [records[place] for place in kept], len(records)
        if records:
            self._check_widths(records, [start + place for place in kept])
            self._append(list(zip(*records, strict=True)), len(records))
        if len(kept) < num_rows:
            if kept:
                self._numbers.pop()
            self._numbers.append(np.array([start + place for place in kept], dtype=np.int64))
        self._num_rows = start + num_rows - 1

    def _append(self, columns: Sequence[Sequence[str]], num_rows: int) -> None:
        if not self.first:
            self.first = [column[0] for column in columns]
            self._columns = [[] for _ in columns]
        for texts, cells in zip(self._columns, columns, strict=True):
            texts.append("\0".join(cells))
        self._numbers.append(range(self._num_rows + 1, self._num_rows + num_rows + 1))
        self._num_rows += num_rows

    def _check_widths(self, records: Sequence[Sequence[str]], rows: Sequence[int]) -> None:
        width = len(self.first or records[0])
        for row, record in zip(rows, records, strict=True):
            if len(record) != width:
                raise DataError(
                    f"{self._file.path}: row {row} has {len(record)} cells, but the first row has {width} (cells are "
                    f"separated by a {self._delimiter})",
                    "fix the row (a cell that holds a separator needs quotes), or data.delimiter=comma, semicolon, "
                    "tab or pipe",
                )


class Lines(Iterator[str]):
    """Takes a text block by block or line by line.

    Attributes:
        left: Number of lines of the current block that were not taken.
        num_blocks: Number of blocks that were begun.
    """

    def __init__(self, blocks: Iterator[str]) -> None:
        self.left = self.num_blocks = 0
        self._blocks = blocks
        self._lines: Iterator[str] = iter(())

    def next_block(self) -> str | None:
        return next(self._blocks, None)

    def push(self, block: str) -> None:
        """Take the lines of a block next."""
        lines = list(io.StringIO(block, newline=""))
        self._lines, self.left = iter(lines), len(lines)
        self.num_blocks += 1

    def __next__(self) -> str:
        if self.left == 0:
            self.push(next(self._blocks))
        self.left -= 1
        return next(self._lines)


def whole_lines(blocks: Iterable[str]) -> Iterator[str]:
    """The text, cut after line ends; a \\r at the end of a part may belong to a \\n."""
    rest = ""
    for block in blocks:
        text = rest + block
        end = 1 + max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1))
        rest = text[end:]
        if end:
            yield text[:end]
    if rest:
        yield rest


def read_rows(file: TextFile, delimiter: Delimiter, quote: Quote) -> tuple[Rows, Delimiter]:
    """The rows of a file, and the delimiter that was found if it is "auto".

    Raises:
        DataError: The file cannot be read; see Rows.read and TextFile.blocks.
    """
    blocks = file.blocks()
    head = next(blocks, "")
    if delimiter == "auto":
        delimiter = sniff_delimiter(head)
    rows = Rows(file, delimiter, quoted=quote != "none")
    try:
        rows.read(chain([head] if head else (), blocks))
    except DataError:
        if quote != "auto" or not rows.joined or not quotes_are_characters(file, DELIMITERS[delimiter]):
            raise
    else:
        if quote != "auto" or not rows.joined or not quotes_are_characters(file, DELIMITERS[delimiter]):
            return rows, delimiter
    rows = Rows(file, delimiter, quoted=False)
    rows.read(file.blocks())
    return rows, delimiter


def quotes_are_characters(file: TextFile, sign: str) -> bool:
    """Whether every line by itself has the same number of cells, at least two: quotes that join lines are none."""
    lines = Lines(whole_lines(file.blocks()))
    widths = {line.count(sign) for line in lines if line.strip(SPACES + sign)}
    return len(widths) == 1 and widths != {0}


def sniff_delimiter(text: str) -> Literal["comma", "semicolon", "tab", "pipe"]:
    """The delimiter that gives most of the first rows the same number of cells; at a tie, the largest number."""
    part = text[:SNIFFED_CHARACTERS]
    scores: dict[Literal["comma", "semicolon", "tab", "pipe"], tuple[float, int]] = {}
    for name in ("comma", "semicolon", "tab", "pipe"):
        reader = csv.reader(io.StringIO(part, newline=""), delimiter=DELIMITERS[name], skipinitialspace=True)
        widths = Counter(len(record) for record in islice(reader, SNIFFED_RECORDS) if any(record))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        scores[name] = (count / widths.total(), width) if width > 1 else (0.0, 1)
    return max(scores, key=lambda name: scores[name])
