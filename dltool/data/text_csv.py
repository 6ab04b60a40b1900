"""Texts with one class each, from two columns of a CSV or TSV file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData, Split, TextColumn, Texts
from dltool.data.cells import MISSING
from dltool.data.csv_file import CsvTable, describe_file, is_number, read_csv
from dltool.data.csv_rows import Delimiter, Quote
from dltool.data.csv_table import find_column
from dltool.data.positive_class import with_positive
from dltool.data.sequence_data import SequenceData
from dltool.data.shares import class_notes
from dltool.data.split_files import TextRows, joined
from dltool.data.table_notes import alike_notes, label_notes, shortened
from dltool.data.table_target import read_targets
from dltool.data.target_labels import NO_LABELS
from dltool.declarations.component import Handling, Location, Membership, register, requires

Header = Literal["auto"] | bool
TAB_SUFFIXES = (".tsv", ".tab")
EXCERPT = 40  # Characters.
MOST_CLASSES = 20  # More are allowed only if each occurs at least twice on average.


@register(
    "data",
    "text_csv",
    into=SequenceData,
    inputs="sequence",
    targets="classes",
    open_with=("separator", "target[]"),
    two_classes=True,
)
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
    path: Location[str | None] = None,
    train: Location[str | None] = None,
    val: Location[str | None] = None,
    test: Location[str | None] = None,
    text: Handling[str | int | None] = None,
    target: Membership[str | int | list[str | int] | None] = None,
    separator: Membership[str | None] = None,
    positive: Membership[str | int | None] = "auto",
    encoding: Membership[str] = "auto",
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe", "space"]] = "auto",
    quote: Membership[Literal["auto", "double", "none"]] = "auto",
) -> RawData:
    """Texts for classification, one per row; the label is always a class, even if it is a number.

    With a list of target columns or a separator, each text has several labels; see csv_table.

    Args:
        _rng: Not used.
        path: A file to split; see dltool.data.csv_file for the accepted formats.
        train: The file of the training split, instead of `path`.
        val: The file of the validation split; null takes it from the training file.
        test: The file of the test split; null takes it from the training file.
        text: The column of the texts, by its name or its number; 1 is the first, -1 the last.
        target: The column of the labels, or a list of columns with two classes each, such as 0 and 1.
        separator: The text between the labels in a cell of the target, such as ; or its name (semicolon, comma, pipe,
            space, slash, tab); null takes a cell as one class.
        positive: The positive class of two, as for data=csv.
        encoding: Of the files, if they are not Unicode; see data=csv.
        header: Whether the first row names the columns. "auto" assumes so if a column is given by name, or if no other
            row has its label.
        delimiter: The separator of the cells. "auto" is a tab for .tsv and .tab files, and is detected in others.
        quote: Whether a double quote encloses a cell; "none" reads it as a character. "auto" takes it as a character if
            it would join lines that have the right number of cells each.

    Raises:
        DataError: The file is invalid; the message names the file, the row and the column.
    """
    files = {name: value for name, value in (("train", path or train), ("val", val), ("test", test)) if value}
    several = target if isinstance(target, list) else [target]
    tables = {
        name: read_table(Path(file), text, several, header, delimiter, quote, encoding) for name, file in files.items()
    }
    about = describe_file(tables["train"], header)
    if isinstance(target, list) or separator is not None:
        return labelled_texts(tables, text, several, separator, positive, quote, about)
    splits = {name: read_rows(table, text, target) for name, table in tables.items()}
    names = tuple(sorted({label for split in splits.values() for label in split.targets}))
    table = tables["train"]
    assert target is not None
    if len(names) == 1:
        raise DataError(f"{table.origin}: the target is {names[0]!r} in every row", "data.target=COLUMN")
    if len(names) > max(MOST_CLASSES, len(splits["train"].targets) // 2):
        raise DataError(
            f"{table.origin}: the target has {len(names):,} classes in {len(splits['train'].targets):,} rows",
            "data.target=COLUMN",
        )
    numbers = {name: number for number, name in enumerate(names)}
    raw = joined(
        {n: TextRows(s.inputs, [numbers[label] for label in s.targets], s.rows) for n, s in splits.items()},
        "classes",
        class_names=names,
        origin=table.origin,
        notes=(
            about,
            *label_notes(
                [cell for one in tables.values() for cell in one.columns[find_column(one, target, "data.target")]],
                names,
                table.names[find_column(table, target, "data.target")],
            ),
            *repeated_texts(splits),
        ),
    )
    raw = with_positive(raw, positive)
    texts = replace(raw.texts, column=text_column(table, text, quote))
    return replace(raw, texts=texts, notes=(*raw.notes, *class_notes(raw)), describes_target=True)


def repeated_texts(splits: Mapping[str, TextRows]) -> list[str]:
    """Say how many texts occur again, in the file or in another split's, with another label, or are NaN."""
    labels: dict[str, set[str]] = {}
    for split in splits.values():
        for text, label in zip(split.inputs, split.targets, strict=True):
            labels.setdefault(str(text), set()).add(label)
    total = sum(len(split.inputs) for split in splits.values())
    notes = []
    if len(splits) == 1 and len(labels) < total:
        again = f"{total - len(labels):,} of {total:,} texts occur before in the file"
        notes.append(f"{again}, so that texts of the test split can be in the training split")
    known = set(splits["train"].inputs)
    for name, split in splits.items():
        if name != "train" and (count := sum(text in known for text in split.inputs)):
            notes.append(f"{count:,} of {len(split.inputs):,} texts of data.{name} are in data.train, too")
    unclear = [text for text, found in labels.items() if len(found) > 1]
    if unclear:
        notes.append(f"{len(unclear):,} texts have several labels in different rows, such as {excerpt(unclear[0])!r}")
    absent = [text for text in labels if text in MISSING]
    if absent:
        count = sum(text in MISSING for split in splits.values() for text in split.inputs)
        notes.append(
            f"{count:,} texts are {' or '.join(sorted(absent))}, which is taken as a text, not as a missing cell"
        )
    return notes


def excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def labelled_texts(
    tables: Mapping[str, CsvTable],
    text: str | int | None,
    targets: Sequence[str | int | None],
    separator: str | None,
    positive: str | int | None,
    quote: Quote,
    about: str,
) -> RawData:
    """Texts with several labels each, from the table of each split; `about` describes the file.

    Raises:
        DataError: A column does not exist, a cell is missing, or the targets are not labels.
    """
    first = tables["train"]
    texts = {name: cells(table, text, "text") for name, table in tables.items()}
    found = {}
    for name, table in tables.items():
        for target in targets:
            cells(table, target, "target", MISSING if separator is None else NO_LABELS)
        indices = [find_column(table, target, "data.target") for target in targets if target is not None]
        if find_column(table, text, "data.text") in indices if text is not None else False:
            raise DataError(f"{table.origin}: data.text and data.target are both {text}", "data.target=COLUMN")
        found[name] = read_targets(table, indices, "classes", positive, separator)
        if found[name].kind != "labels":
            raise DataError(
                f"{table.origin}: data.target names one column in brackets, which is one label per text",
                setting("data.target", targets[0]),
            )
    names = tuple(dict.fromkeys(label for target in found.values() for label in target.class_names))
    parts, start = {}, 0
    for name, table in tables.items():
        places = torch.arange(start, start + len(table))
        labels = torch.zeros(len(table), len(names), dtype=torch.int64)
        labels[:, [names.index(label) for label in found[name].class_names]] = found[name].tensor()
        parts[name] = Split(places, labels, torch.tensor(table.rows, dtype=torch.int64))
        start += len(table)
    return RawData(
        parts["train"],
        parts.get("val"),
        parts.get("test"),
        "labels",
        names,
        texts=Texts(tuple(one for split in texts.values() for one in split), column=text_column(first, text, quote)),
        origin=first.origin,
        notes=(about, *found["train"].describe(standardized=False), *alike_notes(names)),
    )


def text_column(table: CsvTable, text: str | int | None, quote: Quote) -> TextColumn:
    """How other files are read, to predict from their texts."""
    assert text is not None
    name = table.names[find_column(table, text, "data.text")]
    delimiter = "auto" if table.delimiter == "tab" else table.delimiter
    return TextColumn(name, delimiter, quote, table.header)  # type: ignore[arg-type]


def read_table(
    path: Path,
    text: str | int | None,
    targets: Sequence[str | int | None],
    header: Header,
    delimiter: Delimiter,
    quote: Quote = "auto",
    encoding: str = "auto",
) -> CsvTable:
    """Read the file; a header is detected as in `text_csv`."""
    if delimiter == "auto" and path.name.removesuffix(".gz").endswith(TAB_SUFFIXES):
        delimiter = "tab"
    expected = [column for column in (text, *targets) if isinstance(column, str) and not is_number(column)]
    table = read_csv(path, delimiter=delimiter, header=header, quote=quote, encoding=encoding, expected=expected)
    if header != "auto" or not table.header or targets[0] is None or expected:
        return table
    # The first row of a table of texts looks like a header.
    bare = read_csv(path, delimiter=delimiter, header=False, quote=quote, encoding=encoding)
    label, *others = bare.columns[find_column(table, targets[0], "data.target")]
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
