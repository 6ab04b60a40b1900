"""Reads CSV files: any common separator, with or without a header, quotes, a byte order mark, gzip.

Rows are numbered as in a spreadsheet: the header, if any, is row 1, and blank rows count.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dltool.core.errors import DataError
from dltool.core.printable import printable
from dltool.data.csv_rows import Delimiter, Quote, read_rows
from dltool.data.text_file import SETTING, TextFile
from dltool.declarations.component import requires

MOST_SHOWN = 60  # Characters.
YEARS = range(1800, 2200)

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
        unnamed: Whether the header has an empty name for the first column, as for a pandas index.
        note: The encoding, for the user; empty for UTF-8.
        skipped: What was left out of the file, for the user.
    """

    origin: str
    names: tuple[str, ...]
    columns: Sequence[Sequence[str]]
    rows: Sequence[int]
    delimiter: str = "comma"
    header: bool = True
    unnamed: bool = False
    note: str = ""
    skipped: tuple[str, ...] = ()

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, object]], origin: str = "rows") -> "CsvTable":
        """A table of mappings from column name to value, such as `{"age": 39, "workclass": None}`; None is missing."""
        names = tuple(dict.fromkeys(name for row in rows for name in row))
        columns = [["" if row.get(name) is None else str(row[name]) for row in rows] for name in names]
        return cls(origin, names, columns, range(1, len(rows) + 1))

    def __len__(self) -> int:
        return len(self.rows)

    def first_columns(self, count: int) -> "CsvTable":
        """The table without the columns after the first ones, if those have no text; else the same table."""
        if any(cell.strip() for column in self.columns[count:] for cell in column):
            return self
        return replace(self, names=self.names[:count], columns=self.columns[:count])


def read_csv(
    path: Path,
    *,
    delimiter: Delimiter = "auto",
    header: Literal["auto"] | bool = "auto",
    quote: Quote = "auto",
    encoding: str = "auto",
    expected: Sequence[str] = (),
) -> CsvTable:
    """Read a whole file.

    Args:
        path: Gzipped or not, detected by its first bytes.
        delimiter: "auto" takes the one that splits the first rows into the same number of cells, at least two.
        header: "auto" takes the first row as the names if one of `expected` is in it, or if all its cells are
            texts, none of them repeated nor, after the first cell, empty, or consecutive whole numbers, such as years,
            of which two are enough beside texts.
        quote: "double" takes a double quote at the start of a cell as enclosing it, "none" as a character. "auto" is
            "none" if quotes would join lines, although every line by itself has the same number of cells.
        encoding: "auto", or a name that Python knows; see dltool.data.encodings.
        expected: Names of columns that a header would have.

    Raises:
        DataError: The file does not exist, is empty, is not text or is not a table.
    """
    path = path.expanduser().resolve()
    if not path.is_file():
        what = "is a folder, not a CSV file" if path.is_dir() else "does not exist"
        raise DataError(f"{path} {what}", "data.path=FILE.csv" + nearby(path))
    file = TextFile(path, encoding, SETTING)
    rows, found, before = read_rows(file, delimiter, quote, titled=header is not False, expected=expected)
    if not rows.first:
        raise DataError(f"{path} is empty", "data.path=FILE with a row for each sample")
    num_empty = 0 if header is False else rows.drop_empty_end()
    first = [cell.strip() for cell in rows.first]
    has_header = looks_like_header(first, expected) if header == "auto" else header
    numbers = rows.numbers(has_header)
    if has_header:
        if len(numbers) == 0:
            raise DataError(f"{path} has a header but no rows", "data.header=false if the first row is a sample")
        check_names(first, path)
    names = [name if has_header and name else f"column_{i + 1}" for i, name in enumerate(first)]
    unnamed = has_header and not first[0]
    return CsvTable(
        str(path),
        tuple(names),
        rows.columns(has_header),
        numbers,
        found,
        has_header,
        unnamed,
        file.note,
        left_out(before, num_empty),
    )


def left_out(before: Sequence[str], num_empty: int) -> tuple[str, ...]:
    """What is not read, for the user.

    Args:
        before: The lines before the table.
        num_empty: The number of empty columns at the end.
    """
    lines = f"{len(before)} lines" if len(before) > 1 else "a line"
    columns = f"{num_empty} last columns, which are" if num_empty > 1 else "last column, which is"
    parts = [f"without {lines} before the table ({shown(before[0])})"] if before else []
    return (*parts, *([f"without the {columns} empty"] if num_empty else []))


def shown(text: str) -> str:
    """The beginning of a text of a file."""
    return printable(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…")


def describe_file(table: CsvTable, header: Literal["auto"] | bool) -> str:
    """What was assumed about the file, for the user."""
    names = "a header" if table.header else "no header"
    if header == "auto":
        names += f" (data.header={str(not table.header).lower()} if that is wrong)"
    others = "".join(f", {note}" for note in (table.note, *table.skipped) if note)
    return f"{table.origin}: {len(table):,} rows, cells separated by a {table.delimiter}, {names}{others}"


def nearby(path: Path) -> str:
    """The CSV files of the folder, for a hint."""
    folder = path if path.is_dir() else path.parent
    found = sorted(p.name for p in folder.glob("*.csv*"))[:5] if folder.is_dir() else []
    return f"; {folder} contains {', '.join(found)}" if found else ""


def looks_like_header(first: Sequence[str], expected: Sequence[str]) -> bool:
    if not set(first).isdisjoint(expected):
        return True
    distinct = all(first[1:] or first) and len(set(first)) == len(first)  # An index has no name.
    numbers = [cell for cell in first if is_number(cell)]
    return distinct and (not numbers or are_consecutive(first) or are_years(numbers))


def are_consecutive(cells: Sequence[str]) -> bool:
    """Whether the cells are whole numbers one after the other, such as years or the columns 0, 1, 2 of a frame."""
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def are_years(cells: Sequence[str]) -> bool:
    """Whether the cells are years one after the other, two at least, as beside the names of other columns."""
    years = [int(cell) for cell in cells if len(cell) == len("2024") and cell.isascii() and cell.isdigit()]
    return 2 <= len(years) == len(cells) and years[0] in YEARS and years == [*range(years[0], years[0] + len(years))]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def check_names(names: Sequence[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            f"{path}: the column {twice[0]} is in the header twice",
            "rename one, or data.header=false if the first row is not a header",
        )
