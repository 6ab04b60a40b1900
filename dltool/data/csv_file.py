"""Reads CSV files: any common separator, with or without a header, quotes, a byte order mark, gzip.

Rows are numbered as in a spreadsheet: the header, if any, is row 1, and blank rows count.
"""

import contextlib
import csv
import gc
import gzip
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dltool.core.errors import DataError
from dltool.data.contents import note_file
from dltool.declarations.component import requires

Delimiter = Literal["auto", "comma", "semicolon", "tab", "pipe"]
Quote = Literal["auto", "double", "none"]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SNIFFED_CHARACTERS, SNIFFED_RECORDS = 65_536, 50


needs_file = requires(
    lambda config: config.data.path is not None,
    "data={data.name} has no file",
    hint="data.path=FILE.csv",
)


@dataclass(frozen=True)
class CsvTable:
    """A table of texts.

    Attributes:
        origin: The absolute path or another source of the rows; every error message starts with it.
        names: One name per column.
        columns: The cells of each column, as in the file.
        rows: The number of each row in the file.
        delimiter: A name of DELIMITERS.
        header: Whether the names come from the file; without, they are column_1, column_2, ….
    """

    origin: str
    names: tuple[str, ...]
    columns: Sequence[Sequence[str]]
    rows: Sequence[int]
    delimiter: str = "comma"
    header: bool = True

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, object]], origin: str = "rows") -> "CsvTable":
        """A table of mappings from column name to value, such as `{"age": 39, "workclass": None}`; None is missing."""
        names = tuple(dict.fromkeys(name for row in rows for name in row))
        columns = [["" if row.get(name) is None else str(row[name]) for row in rows] for name in names]
        return cls(origin, names, columns, range(1, len(rows) + 1))

    def __len__(self) -> int:
        return len(self.rows)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Disable garbage collection, which would repeatedly scan ten million cells: 8 s instead of 2."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@without_garbage_collection()
def read_csv(
    path: Path,
    *,
    delimiter: Delimiter = "auto",
    header: Literal["auto"] | bool = "auto",
    quote: Quote = "auto",
    expected: Sequence[str] = (),
) -> CsvTable:
    """Read a whole file.

    Args:
        path: UTF-8 or, with its byte order mark, UTF-16; gzipped or not, detected by its first bytes.
        delimiter: "auto" takes the one that splits the first rows into the same number of cells, at least two.
        header: "auto" takes the first row as the names if one of `expected` is in it, or if all its cells are
            texts, none of them empty or repeated, or consecutive whole numbers, such as years.
        quote: "double" takes a double quote at the start of a cell as enclosing it, "none" as a character. "auto" is
            "none" if quotes would join lines, although every line by itself has the same number of cells.
        expected: Names of columns that a header would have.

    Raises:
        DataError: The file does not exist, is empty, is not text or is not a table.
    """
    path = path.expanduser().resolve()
    text = read_text(path)
    if delimiter == "auto":
        delimiter = sniff_delimiter(text)
    records = read_records(text, path, DELIMITERS[delimiter], quote)
    rows: Sequence[int] = range(1, len(records) + 1)
    if not all(map(any, records)):  # Blank rows, such as the file's last.
        kept = [i for i, record in enumerate(records) if any(cell.strip() for cell in record)]
        records, rows = [records[i] for i in kept], [i + 1 for i in kept]
    if not records:
        raise DataError(f"{path} is empty", "data.path=FILE with a row for each sample")
    first = [cell.strip() for cell in records[0]]
    check_widths(records, rows, path, delimiter)
    has_header = looks_like_header(first, expected) if header == "auto" else header
    if has_header:
        records, rows = records[1:], rows[1:]
        if not records:
            raise DataError(f"{path} has a header but no rows", "data.header=false if the first row is a sample")
        check_names(first, path)
    names = [name if has_header and name else f"column_{i + 1}" for i, name in enumerate(first)]
    return CsvTable(str(path), tuple(names), list(zip(*records, strict=True)), rows, delimiter, has_header)


def read_records(text: str, path: Path, delimiter: str, quote: Quote) -> list[list[str]]:
    """The cells of each row. Raises DataError where a quote is never closed."""
    if quote == "none" or '"' not in text:
        return list(unquoted(text, delimiter))
    # Strict, so that a quote that is never closed is an error, not one enormous cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num} cannot be read: {error}",
            'a quote inside a quoted cell is written ""; data.quote=none reads quotes as characters',
        ) from error
    if quote == "auto" and reader.line_num > len(records) and quotes_are_characters(text, delimiter):
        return list(unquoted(text, delimiter))
    return records


def quotes_are_characters(text: str, delimiter: str) -> bool:
    """Whether every line by itself has the same number of cells, at least two: quotes that join lines are none."""
    widths = {len(record) for record in unquoted(text, delimiter) if any(record)}
    return len(widths) == 1 and widths != {1}


def unquoted(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, quoting=csv.QUOTE_NONE)


def read_text(path: Path) -> str:
    """The file's text, unzipped and decoded. Raises DataError where that cannot be done."""
    if not path.is_file():
        what = "is a folder, not a CSV file" if path.is_dir() else "does not exist"
        raise DataError(f"{path} {what}", "data.path=FILE.csv" + nearby(path))
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}", "is the file complete?") from error
    note_file(path, content)
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}",
            "iconv -f GB18030 -t UTF-8 OLD.csv > NEW.csv, or -f LATIN1",
        ) from error


def nearby(path: Path) -> str:
    """The CSV files of the folder, for a hint."""
    folder = path if path.is_dir() else path.parent
    found = sorted(p.name for p in folder.glob("*.csv*"))[:5] if folder.is_dir() else []
    return f"; {folder} contains {', '.join(found)}" if found else ""


def sniff_delimiter(text: str) -> Literal["comma", "semicolon", "tab", "pipe"]:
    """The delimiter that gives most of the first rows the same number of cells; at a tie, the largest number."""
    part = text[:SNIFFED_CHARACTERS]
    scores: dict[Literal["comma", "semicolon", "tab", "pipe"], tuple[float, int]] = {}
    for name in ("comma", "semicolon", "tab", "pipe"):
        reader = csv.reader(io.StringIO(part, newline=""), delimiter=DELIMITERS[name], skipinitialspace=True)
        widths = Counter(len(record) for record in itertools.islice(reader, SNIFFED_RECORDS) if any(record))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        scores[name] = (count / widths.total(), width) if width > 1 else (0.0, 1)
    return max(scores, key=lambda name: scores[name])


def looks_like_header(first: Sequence[str], expected: Sequence[str]) -> bool:
    if not set(first).isdisjoint(expected):
        return True
    distinct = all(first) and len(set(first)) == len(first)
    return distinct and (not any(map(is_number, first)) or are_consecutive(first))


def are_consecutive(cells: Sequence[str]) -> bool:
    """Whether the cells are whole numbers one after the other, such as years or the columns 0, 1, 2 of a frame."""
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def check_widths(records: Sequence[Sequence[str]], rows: Sequence[int], path: Path, delimiter: str) -> None:
    width = len(records[0])
    if all(len(record) == width for record in records):
        return
    row, cells = next((row, len(record)) for row, record in zip(rows, records, strict=True) if len(record) != width)
    raise DataError(
        f"{path}: row {row} has {cells} cells, but the first row has {width} (cells are separated by a {delimiter})",
        "fix the row (a cell that holds a separator needs quotes), or data.delimiter=comma, semicolon, tab or pipe",
    )


def check_names(names: Sequence[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            f"{path}: the column {twice[0]} is in the header twice",
            "rename one, or data.header=false if the first row is not a header",
        )
