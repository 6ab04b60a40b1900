"""The rows of a CSV file, read in chunks of a few megabytes into columns."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Literal, NamedTuple

import numpy as np

from dltool.core.errors import DataError
from dltool.data.cells import to_number
from dltool.data.text_column import TextColumn
from dltool.data.text_file import TextFile

Found = Literal["comma", "semicolon", "tab", "pipe", "space"]
Delimiter = Literal["auto"] | Found
Quote = Literal["auto", "double", "none"]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SIGNS = {**DELIMITERS, "space": " "}  # Any number of spaces and tabs, as in columns that are aligned.
SNIFFED_CHARACTERS, SNIFFED_RECORDS = 65_536, 50
MOST_SKIPPED = 30  # Lines before the table.
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
        self._sign = SIGNS[delimiter]
        self._columns: list[list[str]] = []  # The texts of each TextColumn.
        self._numbers: list[range | np.ndarray] = []
        self._num_lines = self._num_rows = self._num_skipped = 0

    def skip(self, num_lines: int) -> None:
        """Count lines that are not read, before others are."""
        self._num_lines = self._num_rows = self._num_skipped = num_lines

    def drop_empty_end(self) -> int:
        """Leave out the last columns while they have no text, nor a name; returns their number."""
        width = len(self.first)
        while len(self.first) > 1 and not any(text.strip(SPACES + "\0") for text in self._columns[-1]):
            del self.first[-1], self._columns[-1]
        return width - len(self.first)

    def read(self, blocks: Iterable[str]) -> None:
        """Read all rows.

        Args:
            blocks: The parts of the file's text.

        Raises:
            DataError: A row has another number of cells than the first one, or a quote is never closed.
        """
        whole = whole_lines(blocks)
        lines = Lines(map(in_single_spaces, whole) if self._delimiter == "space" else whole)
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
            return range(self._num_skipped + 1, self._num_rows + 1)[int(header) :]
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
                unnamed = "; if the first column lacks its name, as in files of R, write one in the first row"
                cells = "1 cell" if len(record) == 1 else f"{len(record)} cells"
                raise DataError(
                    f"{self._file.path}: row {row} has {cells}, but the first row has {width} (cells are "
                    f"separated by a {self._delimiter})",
                    "fix or remove the row (a cell that holds a separator needs quotes), or data.delimiter=comma, "
                    f"semicolon, tab, pipe or space{unnamed if len(record) == width + 1 else ''}",
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


class Table(NamedTuple):
    """What was found in a file.

    Attributes:
        rows: The rows of the table.
        delimiter: A name of SIGNS.
        skipped: The lines before the table that have a text.
    """

    rows: Rows
    delimiter: Found
    skipped: tuple[str, ...]


def read_rows(
    file: TextFile, delimiter: Delimiter, quote: Quote, *, titled: bool = True, expected: Collection[str] = ()
) -> Table:
    """The rows of a file; what is "auto" is found.

    Args:
        file: The file.
        delimiter: See read_csv.
        quote: See read_csv.
        titled: Whether a first row with one cell that is not empty is a title.
        expected: Names of columns, which are no title.

    Raises:
        DataError: The file cannot be read; see Rows.read and TextFile.blocks.
    """
    blocks = file.blocks()
    head = next(blocks, "")
    found = sniff_delimiter(head) if delimiter == "auto" else delimiter
    before = lines_before(head, SIGNS[found], titled=titled, expected=expected)
    skipped = tuple(line.strip(SPACES + SIGNS[found]) for line in before if line.strip(SPACES + SIGNS[found]))
    rest = head[len("".join(before)) :]

    def started(*, quoted: bool) -> Rows:
        rows = Rows(file, found, quoted=quoted)
        rows.skip(len(before))
        return rows

    rows = started(quoted=quote != "none")
    try:
        rows.read(chain([rest] if rest else (), blocks))
    except DataError:
        if quote != "auto" or not rows.joined or not quotes_are_characters(file, SIGNS[found]):
            raise
    else:
        if quote != "auto" or not rows.joined or not quotes_are_characters(file, SIGNS[found]):
            return Table(rows, found, skipped)
    rows = started(quoted=False)
    blocks = file.blocks()
    rows.read(chain([next(blocks, "")[len("".join(before)) :]], blocks))
    return Table(rows, found, skipped)


def lines_before(head: str, sign: str, *, titled: bool, expected: Collection[str]) -> list[str]:
    """The lines before a table: comments, `sep=;`, or a title, which have fewer cells than all rows that follow."""
    lines = list(islice(io.StringIO(head[:SNIFFED_CHARACTERS], newline=""), MOST_SKIPPED + SNIFFED_RECORDS))
    records = [next(csv.reader([line], delimiter=sign, skipinitialspace=True), []) for line in lines]
    widths = [len(record) for record in records if any(map(str.strip, record))]
    usual = Counter(widths).most_common(1)[0][0] if widths else 1
    if usual == 1:
        return []
    last = 0
    for place, (line, record) in enumerate(zip(lines[:MOST_SKIPPED], records, strict=False), 1):
        if not any(map(str.strip, record)):
            continue
        note = line.lstrip().startswith(("#", "%")) or line.lower().startswith("sep=")
        short = len(record) == 1 or (note and len(record) != usual)
        title = titled and len(record) == usual > 2 and record[0].strip() and not any(map(str.strip, record[1:]))
        if record[0].strip() in expected or not (short or title):
            break
        last = place
    following = [record for record in records[last:] if any(map(str.strip, record))]
    regular = bool(following) and all(len(record) == usual for record in following)
    return lines[:last] if regular and '"' not in "".join(lines[:last]) else []


def in_single_spaces(block: str) -> str:
    """The lines with one space between two cells, and none around them."""
    return re.sub(r"(^|[\r\n]) | (?=[\r\n]|\Z)", r"\1", re.sub(r"[ \t]+", " ", block))


def quotes_are_characters(file: TextFile, sign: str) -> bool:
    """Whether every line by itself has the same number of cells, at least two: quotes that join lines are none."""
    lines = Lines(whole_lines(file.blocks()))
    widths = {line.count(sign) for line in lines if line.strip(SPACES + sign)}
    return len(widths) == 1 and widths != {0}


def sniff_delimiter(text: str) -> Found:
    """The delimiter that gives most of the first rows the same number of cells; at a tie, the largest number.

    Spaces are one only in rows of numbers.
    """
    part = text[:SNIFFED_CHARACTERS]
    names: tuple[Found, ...] = ("comma", "semicolon", "tab", "pipe")
    scores: dict[Found, tuple[float, int]] = {}
    for name in names:
        reader = csv.reader(io.StringIO(part, newline=""), delimiter=DELIMITERS[name], skipinitialspace=True)
        widths = Counter(len(record) for record in islice(reader, SNIFFED_RECORDS) if any(record))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        scores[name] = (count / widths.total(), width) if width > 1 else (0.0, 1)
    if not any(score for score, _ in scores.values()) and are_rows_of_numbers(part):
        return "space"
    return max(scores, key=lambda name: scores[name])


def are_rows_of_numbers(text: str) -> bool:
    """Whether spaces separate the same number of cells in each of the first rows, most of them numbers."""
    lines = islice(io.StringIO(text), 1 + SNIFFED_RECORDS)
    rows = [cells for line in lines if line[-1] == "\n" and (cells := line.split())] or [text.split()]
    rows = rows[1:] or rows
    cells = [cell for row in rows for cell in row]
    return len({*map(len, rows)}) == 1 and len(rows[0]) > 1 and 3 * sum(map(is_finite, cells)) >= 2 * len(cells)


def is_finite(cell: str) -> bool:
    return bool(np.isfinite(to_number(cell.strip('"'))))
