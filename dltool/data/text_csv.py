"""Texts with one class each, from two columns of a CSV or TSV file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, TextColumn
from dltool.data.cells import MISSING
from dltool.data.csv_file import CsvTable, Delimiter, Quote, is_number, read_csv
from dltool.data.csv_table import find_column, shortened
from dltool.data.sequence_data import SequenceData
from dltool.data.split_files import TextRows, joined
from dltool.declarations.component import Handling, Membership, register, requires

Header = Literal["auto"] | bool
TAB_SUFFIXES = (".tsv", ".tab")
MOST_CLASSES = 20  # More are allowed only if each occurs at least twice on average.


@register("data", "text_csv", into=SequenceData, inputs="sequence", targets="classes")
@requires(
    lambda config: (config.data.path is None) != (config.data.train is None),
    "data=text_csv needs a file",
    hint="data.path=FILE.csv, or data.train=FILE.csv data.val=FILE.csv data.test=FILE.csv",
)
@requires(
    lambda config: config.data.path is None or (config.data.val is None and config.data.test is None),
    "data.path is split, but data.val or data.test also names a file",
    hint="data.path=null data.train=FILE.csv",
)
def text_csv(
    _rng: torch.Generator,
    *,
    path: str | None = None,
    train: str | None = None,
    val: str | None = None,
    test: str | None = None,
    text: Handling[str | int | None] = None,
    target: Membership[str | int | None] = None,
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe"]] = "auto",
    quote: Membership[Literal["auto", "double", "none"]] = "auto",
) -> RawData:
    """Texts for classification, one per row; the label is always a class, even if it is a number.

    Args:
        _rng: Not used.
        path: A file to split; see dltool.data.csv_file for the accepted formats.
        train: The file of the training split, instead of `path`.
        val: The file of the validation split; null takes it from the training file.
        test: The file of the test split; null takes it from the training file.
        text: The column of the texts, by its name or its number; 1 is the first, -1 the last.
        target: The column of the labels.
        header: Whether the first row names the columns. "auto" assumes so if a column is given by name, or if no other
            row has its label.
        delimiter: The separator of the cells. "auto" is a tab for .tsv and .tab files, and is detected in others.
        quote: Whether a double quote encloses a cell; "none" reads it as a character. "auto" takes it as a character if
            it would join lines that have the right number of cells each.

    Raises:
        DataError: The file is invalid; the message names the file, the row and the column.
    """
    files = {name: value for name, value in (("train", path or train), ("val", val), ("test", test)) if value}
    tables = {name: read_table(Path(file), text, target, header, delimiter, quote) for name, file in files.items()}
    splits = {name: read_rows(table, text, target) for name, table in tables.items()}
    names = tuple(sorted({label for split in splits.values() for label in split.targets}))
    table, counts = tables["train"], Counter(splits["train"].targets)
    if len(names) == 1:
        raise DataError(f"{table.origin}: the target is {names[0]!r} in every row", "data.target=COLUMN")
    if len(names) > max(MOST_CLASSES, len(splits["train"].targets) // 2):
        raise DataError(
            f"{table.origin}: the target has {len(names):,} classes in {len(splits['train'].targets):,} rows",
            "data.target=COLUMN",
        )
    numbers = {name: number for number, name in enumerate(names)}
    headed = "a header" if table.header else "no header"
    listed = shortened([f"{name} ({counts[name]:,})" for name in names])
    raw = joined(
        {n: TextRows(s.inputs, [numbers[label] for label in s.targets], s.rows) for n, s in splits.items()},
        "classes",
        class_names=names,
        origin=table.origin,
        notes=(
            f"{table.origin}: {len(table):,} rows, cells separated by a {table.delimiter}, {headed}",
            f"{len(names)} classes, {listed}",
        ),
    )
    return replace(raw, texts=replace(raw.texts, column=text_column(table, text, quote)))


def text_column(table: CsvTable, text: str | int | None, quote: Quote) -> TextColumn:
    """How other files are read, to predict from their texts."""
    assert text is not None
    name = table.names[find_column(table, text, "data.text")]
    delimiter = "auto" if table.delimiter == "tab" else table.delimiter
    return TextColumn(name, delimiter, quote, table.header)  # type: ignore[arg-type]


def read_table(
    path: Path,
    text: str | int | None,
    target: str | int | None,
    header: Header,
    delimiter: Delimiter,
    quote: Quote = "auto",
) -> CsvTable:
    """Read the file; a header is detected as in `text_csv`."""
    if delimiter == "auto" and path.name.removesuffix(".gz").endswith(TAB_SUFFIXES):
        delimiter = "tab"
    expected = [column for column in (text, target) if isinstance(column, str) and not is_number(column)]
    table = read_csv(path, delimiter=delimiter, header=header, quote=quote, expected=expected)
    if header != "auto" or not table.header or target is None or expected:
        return table
    # The first row of a table of texts looks like a header.
    bare = read_csv(path, delimiter=delimiter, header=False, quote=quote)
    label, *others = bare.columns[find_column(table, target, "data.target")]
    return bare if label in others else table


def read_rows(table: CsvTable, text: str | int | None, target: str | int | None) -> TextRows:
    """Texts and labels, without surrounding blanks.

    Raises:
        DataError: A column is not set or does not exist, or one of its cells is empty.
    """
    texts, labels = cells(table, text, "text"), cells(table, target, "target", MISSING)
    if text is not None and str(text) == str(target):
        raise DataError(f"{table.origin}: data.text and data.target are both {text}", "data.target=COLUMN")
    return TextRows(texts, labels, table.rows)


def cells(
    table: CsvTable, wanted: str | int | None, key: str, missing: Sequence[str] | frozenset[str] = ("",)
) -> list[str]:
    """The cells of a column, none of which may be missing."""
    if wanted is None:
        raise DataError(
            f"data.{key} is not set; the columns of {table.origin} are {shortened(table.names)}",
            f"data.{key}=COLUMN, by its name or its number",
        )
    index = find_column(table, wanted, f"data.{key}")
    found = [cell.strip() for cell in table.columns[index]]
    empty = [place for place, cell in enumerate(found) if cell in missing]
    if empty:
        more = f"; {len(empty) - 1:,} more are empty" if empty[1:] else ""
        raise DataError(
            f"{table.origin}: row {table.rows[empty[0]]}, {key} {table.names[index]}: the cell is empty{more}",
            "fill it, or remove the row",
        )
    return found
