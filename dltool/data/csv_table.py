"""Your own table from a CSV file; the kind of each column and of the target are detected."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.core.spec import Target
from dltool.data.arrays import Column, RawData, Split
from dltool.data.cells import parse_categories, parse_numbers
from dltool.data.csv_file import CsvTable, needs_file, read_csv
from dltool.data.notation import Notation, rewritten
from dltool.data.table_data import TableData
from dltool.data.target_column import check_target, choose_kind, put_positive_last, read_target, text_in_numbers
from dltool.declarations.component import Handling, Location, Membership, register, requires

MOST_CATEGORIES = 1000  # One-hot: each is an input.


@register("data", "csv", into=TableData, inputs="vector", targets="auto")
@needs_file
@requires(
    lambda config: config.data.target is not None,
    "data=csv has no target column",
    hint="data.target=COLUMN, by name or number; data.target=-1 is the last column",
)
def csv_table(
    _rng: torch.Generator,
    *,
    path: Location[str | None] = None,
    target: Membership[str | int | None] = None,
    kind: Membership[Literal["auto", "classes", "integer_classes", "numbers"]] = "auto",
    positive: Membership[str | int | None] = "auto",
    drop: Membership[list[str | int]] = (),  # type: ignore[assignment]  # No mutable default; the schema reads () as [].
    categories: Membership[list[str | int]] = (),  # type: ignore[assignment]
    missing: Membership[Literal["refuse", "drop", "mean", "mode"]] = "refuse",
    unknown: Handling[Literal["refuse", "ignore"]] = "refuse",
    target_scaling: Handling[Literal["standardize", "none"]] = "standardize",
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe"]] = "auto",
    quote: Membership[Literal["auto", "double", "none"]] = "auto",
    decimal: Membership[Literal["auto", "point", "comma"]] = "auto",
    thousands: Membership[Literal["auto", "none", "comma", "point", "space", "apostrophe"]] = "auto",
    dates: Membership[Literal["refuse", "number", "categories"]] = "refuse",
) -> RawData:
    """A CSV file with one row per sample; the detected columns and target are printed.

    A column is numeric if more of its cells are numbers than texts, else categorical; each category becomes one input,
    1 or 0 (one-hot).

    Args:
        _rng: Not used.
        path: The file; see dltool.data.csv_file for the accepted formats.
        target: The column to predict, by its name or by its number: 1 is the first, -1 the last.
        kind: The kind of the target. "classes" takes each distinct text as a class: 1, 01 and 1.0 are three.
            "integer_classes" takes each whole number as a class, however it is written: 1 and 1.0 are one. "auto" takes
            texts as classes, and whole numbers as integer classes if there are at most 20 different ones, each
            occurring five times on average; where some begin with zeros, such as 01, as classes. Numeric classes are in
            numeric order, others in alphabetical order; two classes are a binary target.
        positive: The positive class of two, which precision, recall, F1, AUROC and loss.pos_weight refer to. "auto"
            takes the rarer one in the whole file, or the last by name if both have at least 45 %; null takes the last
            by name.
        drop: Columns that are not inputs, such as an id.
        categories: Columns of numbers that are categories, such as a postcode.
        missing: How to treat a missing cell (empty, ?, NA, N/A, NaN, null): refuse the file, drop the
            row, or take the mean or the mode (the most frequent) of the training split's column; for categories
            both are the mode. A missing target is never filled in.
        unknown: How to treat a category that the training split lacks: refuse it, or ignore it, which sets all of its
            column's inputs to 0.
        target_scaling: Numbers are learned with mean 0 and deviation 1 in the training split; the loss is in those
            units, metrics and predictions are in the target's own.
        header: Whether the first row names the columns; without, they are column_1, column_2, ….
        delimiter: The separator of the cells.
        quote: Whether a double quote encloses a cell; "none" reads it as a character. "auto" takes it as a character if
            it would join lines that have the right number of cells each.
        decimal: The sign before the fraction of a number. "auto" finds it from all cells of a column, and refuses a
            column of cells such as 1,234 that can be read in two ways.
        thousands: The sign between groups of three digits. Currency and percent signs are removed: 12 % is 12.
        dates: How to treat a column of dates: refuse it, take it as a number of days since 1970, or as categories.

    Raises:
        DataError: The table is invalid; the message names the file, the row and the column.
    """
    assert path is not None
    assert target is not None
    named = [name for name in (target, *drop, *categories) if isinstance(name, str)]
    table = read_csv(Path(path), delimiter=delimiter, header=header, quote=quote, expected=named)
    chosen = choose_columns(table, target, drop, categories)
    numeric = {*chosen.inputs, *([] if kind == "classes" else [chosen.target])} - chosen.categories
    table, notations = rewritten(table, sorted(numeric), decimal, thousands, dates)
    return raw_data(
        table, chosen, notations, kind, positive, missing, unknown, standardize=target_scaling == "standardize"
    )


def raw_data(
    table: CsvTable,
    chosen: "ChosenColumns",
    notations: Mapping[str, Notation],
    kind: Literal["auto", "classes", "integer_classes", "numbers"],
    positive: str | int | None,
    missing: Literal["refuse", "drop", "mean", "mode"],
    unknown: Literal["refuse", "ignore"],
    *,
    standardize: bool,
) -> RawData:
    """The samples of a table whose columns are known; for the arguments see csv_table."""
    found_kind = choose_kind(table, chosen.target) if kind == "auto" else kind
    labels, classes = read_target(table, chosen.target, found_kind)
    if classes is not None:
        labels, classes = put_positive_last(labels, classes, positive, table.origin)
    choices = {"data.kind": found_kind} if kind == "auto" else {}
    if positive == "auto" and classes is not None and len(classes) == 2:
        choices["data.positive"] = classes[1]
    values, columns = read_inputs(table, chosen)
    policy: Literal["mean", "mode"] | None = missing if missing in ("mean", "mode") else None
    keep = handle_missing(table, labels, values, [chosen.target, *chosen.inputs], missing)
    columns = [Column(c.name, c.categories, policy, unknown, notations.get(c.name)) for c in columns]
    labels = labels[keep]
    standardized = classes is None and standardize
    if kind == "auto":
        check_target(table, labels, classes, table.names[chosen.target])
    rows = torch.from_numpy(np.asarray(table.rows)[keep])
    return RawData(
        Split(torch.from_numpy(values[keep]), target_tensor(labels, classes), rows),
        None,
        None,
        target_of(classes),
        tuple(classes or ()),
        standardize_targets=standardized,
        columns=tuple(columns),
        origin=table.origin,
        file_columns=0 if table.header else len(table.names),
        choices=choices,
        notes=(
            *describe(table, len(table) - len(labels), chosen.target, labels, classes, columns, standardized),
            *(f"column {name}: {notation.describe()}" for name, notation in notations.items()),
        ),
    )


class ChosenColumns(NamedTuple):
    """Indices of the columns of a table.

    Attributes:
        target: The one to predict.
        inputs: Those to predict it from.
        categories: Those that hold categories, regardless of their cells.
    """

    target: int
    inputs: list[int]
    categories: set[int]


def choose_columns(
    table: CsvTable, target: str | int, drop: Sequence[str | int], categories: Sequence[str | int]
) -> ChosenColumns:
    """The columns that the keys of data=csv name.

    Raises:
        DataError: A column does not exist, the target is dropped, or no input is left.
    """
    target_index = find_column(table, target, "data.target")
    dropped = {find_column(table, name, "data.drop") for name in drop}
    forced = {find_column(table, name, "data.categories") for name in categories}
    if target_index in dropped:
        raise DataError(f"{table.origin}: data.drop contains the target {table.names[target_index]}", "'data.drop=[…]'")
    inputs = [i for i in range(len(table.names)) if i != target_index and i not in dropped]
    if not inputs:
        cut = f"cells are separated by a {table.delimiter}"
        raise DataError(
            f"{table.origin} has no column besides the target ({cut})", "data.delimiter=…, or 'data.drop=[]'"
        )
    return ChosenColumns(target_index, inputs, forced)


def target_of(classes: Sequence[str] | None) -> Target:
    return "numbers" if classes is None else "binary" if len(classes) == 2 else "classes"


def target_tensor(labels: np.ndarray, classes: Sequence[str] | None) -> torch.Tensor:
    """Numbers `(N, 1)` float64, or classes `(N,)` int64."""
    targets = torch.from_numpy(labels)
    return targets.unsqueeze(1) if classes is None else targets.long()


def find_column(table: CsvTable, wanted: str | int, key: str) -> int:
    """The index of a column given by its name, or by its number from 1, or from -1 backwards from the end.

    Raises:
        DataError: No such column exists; the hint has the nearest name.
    """
    if str(wanted) in table.names:
        return table.names.index(str(wanted))
    count = len(table.names)
    number = int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else 0
    if 1 <= abs(number) <= count:
        return number - 1 if number > 0 else count + number
    near = nearest(str(wanted), table.names)
    listed = ", ".join(table.names[:20]) + (f" and {count - 20} more" if count > 20 else "")
    hint = (
        "'data.drop=[]' drops none"
        if key == "data.drop"
        else f"{key}=1 … {count} selects one by its number, -1 the last one"
    )
    hint = f"did you mean {near}?" if near else hint
    if count == 1:
        hint = f"are its cells separated by a {table.delimiter}? data.delimiter=comma, semicolon, tab or pipe"
    raise DataError(f"{table.origin}: {key}={wanted} is not a column; the columns are {listed}", hint)


def read_inputs(table: CsvTable, chosen: ChosenColumns) -> tuple[np.ndarray, list[Column]]:
    """The inputs' values, float64 `(N, D)`, NaN where missing, and the contents of each column."""
    forced = chosen.categories
    values, columns = np.empty((len(table), len(chosen.inputs))), []
    for position, index in enumerate(chosen.inputs):
        numbers, texts = parse_numbers(table.columns[index])
        num_texts, num_numbers = int(texts.sum()), int((~np.isnan(numbers)).sum())
        if index not in forced and 0 < num_texts < num_numbers:
            name = table.names[index]
            hint = f"fix the cell, or {setting('data.categories', [name])}, {setting('data.drop', [name])}"
            raise text_in_numbers(table, index, texts, hint)
        if num_texts == 0 and index not in forced:
            values[:, position] = numbers
            columns.append(Column(table.names[index]))
        else:
            values[:, position], found = parse_categories(table.columns[index])
            check_categories(table, index, found)
            columns.append(Column(table.names[index], tuple(found)))
        if np.isnan(values[:, position]).all():
            name = table.names[index]
            raise DataError(f"{table.origin}: every cell of the column {name} is missing", setting("data.drop", [name]))
    return values, columns


def check_categories(table: CsvTable, index: int, found: Sequence[str]) -> None:
    name, count = table.names[index], len(found)
    if count > MOST_CATEGORIES or count > max(20, len(table) // 2):
        raise DataError(
            f"{table.origin}: the column {name} has {count:,} different texts in {len(table):,} rows, such as "
            f"{found[0]!r}: too many for categories",
            setting("data.drop", [name]),
        )


def handle_missing(
    table: CsvTable, labels: np.ndarray, values: np.ndarray, indices: Sequence[int], missing: str
) -> np.ndarray:
    """Which rows stay, bool `(N,)`.

    Raises:
        DataError: A required cell is missing, or every row has a missing cell.
    """
    absent = np.isnan(np.column_stack([labels, values]))  # (N, 1 + D)
    if missing == "drop":
        keep = ~absent.any(axis=1)
        if not keep.any():
            raise DataError(f"{table.origin}: every row has a missing cell", "data.missing=mean, or 'data.drop=[…]'")
        return keep
    refused = absent[:, :1] if missing in ("mean", "mode") else absent
    if refused.any():
        raise missing_cells(table, refused, indices)
    return np.ones(len(values), dtype=bool)


def missing_cells(table: CsvTable, absent: np.ndarray, indices: Sequence[int]) -> DataError:
    """The error for cells that are missing, bool `(N, ≤ D)`: the first one, and the number in each column."""
    row, position = map(int, np.argwhere(absent)[0])
    index = indices[position]
    cell = table.columns[index][row].strip()
    counts = [(table.names[indices[i]], int(count)) for i, count in enumerate(absent.sum(axis=0)) if count]
    listed = shortened([f"{name} ({count:,})" for name, count in sorted(counts, key=lambda entry: -entry[1])])
    what = "target" if position == 0 else "column"
    return DataError(
        f"{table.origin}: row {table.rows[row]}, {what} {table.names[index]}: the cell is missing"
        f"{f' ({cell})' if cell else ''}; missing cells: {listed}",
        "data.missing=drop" if absent[:, 0].any() else "data.missing=drop, mean or mode",
    )


def describe(
    table: CsvTable,
    num_dropped: int,
    target_index: int,
    labels: np.ndarray,
    classes: Sequence[str] | None,
    columns: Sequence[Column],
    standardized: bool,
) -> tuple[str, ...]:
    """Describe the table, one line each."""
    names = "a header" if table.header else "no header"
    lines = [f"{table.origin}: {len(table):,} rows, cells separated by a {table.delimiter}, {names}"]
    if num_dropped:
        lines.append(f"{num_dropped:,} rows with a missing cell are dropped (data.missing=drop)")
    name = table.names[target_index]
    if classes is None:
        learned = ", learned with mean 0 and deviation 1" if standardized else ""
        lines.append(f"target {name}: numbers from {labels.min():.10g} to {labels.max():.10g}{learned}")
    else:
        counts = np.bincount(labels.astype(int), minlength=len(classes))
        shares = [f"{count:,}, {100 * count / len(labels):.3g} %" for count in counts.tolist()]
        listed = [f"{text} ({share})" for text, share in zip(classes, shares, strict=True)]
        positive = f"; {classes[1]} is the positive class (data.positive)" if len(classes) == 2 else ""
        lines.append(f"target {name}: {len(classes)} classes, {shortened(listed)}{positive}")
    numbers = [column.name for column in columns if column.categories is None]
    categories = [f"{column.name} ({len(column.categories)})" for column in columns if column.categories is not None]
    for kind, listed in (("numbers", numbers), ("categories", categories)):
        if listed:
            lines.append(f"{len(listed)} column{'s' * (len(listed) > 1)} of {kind}: {shortened(listed)}")
    return tuple(lines)


def shortened(items: Sequence[str], most: int = 15) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
