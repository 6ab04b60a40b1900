"""Your own table from a CSV file; the kind of each column and of the target are detected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.data.arrays import Column, RawData, Split
from dltool.data.cells import indistinct, parse_categories, parse_numbers
from dltool.data.csv_file import YEARS, CsvTable, describe_file, needs_file, read_csv
from dltool.data.notation import Notation, rewritten
from dltool.data.row_index import Index, index_note, row_index
from dltool.data.table_data import TableData
from dltool.data.table_notes import counted, doubts, input_notes, label_notes, missing_note, shortened
from dltool.data.table_target import TableTarget, read_targets
from dltool.data.target_column import beyond_precision, text_in_numbers
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
    target: Membership[str | int | list[str | int] | None] = None,
    separator: Membership[str | None] = None,
    kind: Membership[Literal["auto", "classes", "integer_classes", "numbers"]] = "auto",
    positive: Membership[str | int | None] = "auto",
    index: Membership[Literal["auto"] | bool] = "auto",
    drop: Membership[list[str | int]] = (),  # type: ignore[assignment]  # No mutable default; the schema reads () as [].
    categories: Membership[list[str | int]] = (),  # type: ignore[assignment]
    missing: Membership[Literal["refuse", "drop", "mean", "mode"]] = "refuse",
    unknown: Handling[Literal["refuse", "ignore"]] = "refuse",
    target_scaling: Handling[Literal["standardize", "none"]] = "standardize",
    encoding: Membership[str] = "auto",
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe", "space"]] = "auto",
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
        target: The column to predict, by its name or by its number: 1 is the first, -1 the last. A list of columns with
            two classes each, such as 0 and 1 or yes and no, gives several labels per sample; of numbers, several
            numbers.
        separator: The text between the labels in a cell of the target, such as ; or its name (semicolon, comma, pipe,
            space, slash, tab): each sample then has any number of labels. null takes a cell as one class or number.
        kind: The kind of the target. "classes" takes each distinct text as a class: 1, 01 and 1.0 are three.
            "integer_classes" takes each whole number as a class, however it is written: 1 and 1.0 are one. "auto" takes
            texts as classes, and whole numbers as integer classes if there are at most 20 different ones, each
            occurring five times on average; where some begin with zeros, such as 01, as classes. Numeric classes are in
            numeric order, others in alphabetical order; two classes are a binary target.
        positive: The positive class of two, which precision, recall, F1, AUROC and loss.pos_weight refer to. "auto"
            takes the rarer one in the whole file, or the last by name if both have at least 45 %; null takes the last
            by name.
        index: Whether the first column is an index of the rows and not an input. "auto" takes it as one if it has no
            name and no two of its cells are equal, or if it is called index, id or the like and holds 0, 1, 2, … or
            1, 2, 3, …, in any order.
        drop: Columns that are not inputs, such as a name.
        categories: Columns of numbers that are categories, such as a postcode.
        missing: How to treat a missing cell (empty, ?, NA, N/A, NaN, null; among numbers also -, ., missing): refuse
            the file, drop the row, or take the mean or the mode (the most frequent) of the training split's column; for
            categories both are the mode. A missing target is never filled in.
        unknown: How to treat a category that the training split lacks: refuse it, or ignore it, which sets all of its
            column's inputs to 0.
        target_scaling: Numbers are learned with mean 0 and deviation 1 in the training split; the loss is in those
            units, metrics and predictions are in the target's own.
        encoding: A name such as cp1252 or gb18030. "auto" is UTF-8, UTF-16 or UTF-32; any other has to be named,
            because its bytes are valid in several.
        header: Whether the first row names the columns; without, they are column_1, column_2, ….
        delimiter: The separator of the cells; "space" is any number of spaces and tabs.
        quote: Whether a double quote encloses a cell; "none" reads it as a character. "auto" takes it as a character if
            it would join lines that have the right number of cells each.
        decimal: The sign before the fraction of a number. "auto" finds it from all cells of a column, and refuses a
            column of cells such as 1,234 that can be read in two ways.
        thousands: The sign between groups of three digits. Currency and percent signs are removed: 12 % is 12.
        dates: How to treat a column of dates or times: refuse it, take it as a number of days since 1970 (in UTC, if
            the cells state an offset) or of hours, or as categories. "number" also reads 20240131 as a date.

    Raises:
        DataError: The table is invalid; the message names the file, the row and the column.
    """
    assert path is not None
    assert target is not None
    targets = target if isinstance(target, list) else [target]
    named = [str(name) for name in (*targets, *drop, *categories) if isinstance(name, str) or name in YEARS]
    table = read_csv(Path(path), delimiter=delimiter, header=header, quote=quote, encoding=encoding, expected=named)
    chosen = choose_columns(table, targets, drop, categories, index)
    texts = kind == "classes" or separator is not None
    numeric = {*chosen.inputs, *([] if texts else chosen.targets)} - chosen.categories
    uncertain = doubts(table, numeric, dates)
    table, notations = rewritten(table, sorted(numeric), decimal, thousands, dates)
    found = read_targets(table, chosen.targets, kind, positive, separator)
    raw = raw_data(table, chosen, notations, found, missing, unknown, standardize=target_scaling == "standardize")
    numbered = {} if index != "auto" or chosen.numbering is not None else {"data.index": False}
    misleading = input_notes(raw) if index == "auto" else []
    seen = index_note(table, chosen.numbering, index, {*range(len(table.names))} - {*chosen.inputs})
    notes = (describe_file(table, header), *seen, *raw.notes, *uncertain, *misleading)
    return replace(raw, choices={**raw.choices, **numbered}, notes=notes)


def raw_data(
    table: CsvTable,
    chosen: "ChosenColumns",
    notations: Mapping[str, Notation],
    target: TableTarget,
    missing: Literal["refuse", "drop", "mean", "mode"],
    unknown: Literal["refuse", "ignore"],
    *,
    standardize: bool,
) -> RawData:
    """The samples of a table whose columns are known; for the arguments see csv_table."""
    values, columns = read_inputs(table, chosen)
    policy: Literal["mean", "mode"] | None = missing if missing in ("mean", "mode") else None
    used = [*chosen.targets, *chosen.inputs]
    absent = np.column_stack([target.missing, np.isnan(values)])  # (N, T + D)
    keep = handle_missing(table, absent, used, missing, len(chosen.targets))
    columns = [Column(c.name, c.categories, policy, unknown, notations.get(c.name)) for c in columns]
    target = target.select(keep, table)
    standardized = target.kind == "numbers" and standardize
    rows = torch.from_numpy(np.asarray(table.rows)[keep])
    return RawData(
        Split(torch.from_numpy(values if keep.all() else values[keep]), target.tensor(), rows),
        None,
        None,
        target.kind,
        target.class_names,
        target_dim=target.target_dim,
        standardize_targets=standardized,
        columns=tuple(columns),
        origin=table.origin,
        file_columns=0 if table.header else len(table.names),
        choices=target.choices,
        describes_target=True,
        notes=(
            *missing_note([table.names[place] for place in used], absent, missing),
            *target.describe(standardized=standardized),
            *describe(columns),
            *written_alike(table, chosen, target),
            *(f"column {name}: {notation.describe()}" for name, notation in notations.items()),
        ),
    )


def written_alike(table: CsvTable, chosen: "ChosenColumns", target: TableTarget) -> tuple[str, ...]:
    """Classes that a reader may take for the same."""
    if target.kind not in ("classes", "binary"):
        return ()
    (index,) = chosen.targets
    return label_notes(table.columns[index], target.class_names, table.names[index])


class ChosenColumns(NamedTuple):
    """Indices of the columns of a table.

    Attributes:
        targets: Those to predict, at least one.
        inputs: Those to predict them from.
        categories: Those that hold categories, regardless of their cells.
        numbering: The one that numbers the rows, if any; it is not an input.
    """

    targets: list[int]
    inputs: list[int]
    categories: set[int]
    numbering: int | None = None


def choose_columns(
    table: CsvTable,
    targets: Sequence[str | int],
    drop: Sequence[str | int],
    categories: Sequence[str | int],
    index: Index,
) -> ChosenColumns:
    """The columns that the keys of data=csv name.

    Raises:
        DataError: A column does not exist, the target is dropped, or no input is left.
    """
    if not targets:
        raise DataError(f"{table.origin}: data.target names no column", "data.target=COLUMN")
    found = [find_column(table, name, "data.target") for name in targets]
    dropped = {find_column(table, name, "data.drop") for name in drop}
    forced = {find_column(table, name, "data.categories") for name in categories}
    if lost := [place for place in found if place in dropped]:
        raise DataError(f"{table.origin}: data.drop contains the target {table.names[lost[0]]}", "'data.drop=[…]'")
    numbering = row_index(table, index, {*found, *dropped, *forced})
    inputs = [i for i in range(len(table.names)) if i not in {*found, numbering, *dropped}]
    if not inputs:
        cut = f"cells are separated by a {table.delimiter}"
        raise DataError(
            f"{table.origin} has no column besides the target ({cut})", "data.delimiter=…, or 'data.drop=[]'"
        )
    return ChosenColumns(found, inputs, forced, numbering)


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
        hint = f"are its cells separated by a {table.delimiter}? data.delimiter=comma, semicolon, tab, pipe or space"
    raise DataError(f"{table.origin}: {key}={wanted} is not a column; the columns are {listed}", hint)


def read_inputs(table: CsvTable, chosen: ChosenColumns) -> tuple[np.ndarray, list[Column]]:
    """The inputs' values, float64 `(N, D)`, NaN where missing, and the contents of each column."""
    forced = chosen.categories
    values, columns = np.empty((len(table), len(chosen.inputs))), []
    for position, index in enumerate(chosen.inputs):
        numbers, texts = parse_numbers(table.columns[index])
        num_texts, num_numbers = int(texts.sum()), int((~np.isnan(numbers)).sum())
        name = table.names[index]
        hint = f"{setting('data.categories', [name])}, {setting('data.drop', [name])}"
        if index not in forced and 0 < num_texts < num_numbers:
            raise text_in_numbers(table, index, texts, f"fix the cell, or {hint}")
        if num_texts == 0 < num_numbers and index not in forced:
            if pair := indistinct(table.columns[index], numbers):
                raise beyond_precision(table, index, pair, hint)
            values[:, position] = numbers
            columns.append(Column(table.names[index]))
        else:
            values[:, position], found = parse_categories(table.columns[index])
            check_categories(table, index, found)
            columns.append(Column(table.names[index], tuple(found)))
        if np.isnan(values[:, position]).all():
            raise DataError(f"{table.origin}: every cell of the column {name} is missing", setting("data.drop", [name]))
    return values, columns


def check_categories(table: CsvTable, index: int, found: Sequence[str]) -> None:
    name, count = table.names[index], len(found)
    if count > MOST_CATEGORIES or count > max(20, len(table) // 2):
        raise DataError(
            f"{table.origin}: the column {name} has {count:,} different texts in {len(table):,} rows, such as "
            f"{found[0]!r}: too many for categories",
            f"{setting('data.drop', [name])}; of numbers, write all without a unit",
        )


def handle_missing(
    table: CsvTable, absent: np.ndarray, indices: Sequence[int], missing: str, num_targets: int
) -> np.ndarray:
    """Which rows stay, bool `(N,)`.

    Args:
        table: For messages.
        absent: Whether a cell of each target and input is missing, bool `(N, T + D)`.
        indices: The columns of the targets and of the inputs.
        num_targets: T.
        missing: See csv_table.

    Raises:
        DataError: A required cell is missing, or every row has a missing cell.
    """
    if missing == "drop":
        keep = np.logical_not(absent.any(axis=1))
        if not keep.any():
            raise DataError(f"{table.origin}: every row has a missing cell", "data.missing=mean, or 'data.drop=[…]'")
        return keep
    refused = absent[:, :num_targets] if missing in ("mean", "mode") else absent
    if refused.any():
        raise missing_cells(table, refused, indices, num_targets)
    return np.ones(len(absent), dtype=bool)


def missing_cells(table: CsvTable, absent: np.ndarray, indices: Sequence[int], num_targets: int) -> DataError:
    """The error for cells that are missing, bool `(N, ≤ T + D)`: the first one, and the number in each column."""
    row, position = map(int, np.argwhere(absent)[0])
    index = indices[position]
    cell = table.columns[index][row].strip()
    listed = counted([table.names[place] for place in indices], absent)
    what = "target" if position < num_targets else "column"
    return DataError(
        f"{table.origin}: row {table.rows[row]}, {what} {table.names[index]}: the cell is missing"
        f"{f' ({cell})' if cell else ''}; missing cells: {listed}",
        "data.missing=drop" if absent[:, :num_targets].any() else "data.missing=drop, mean or mode",
    )


def describe(columns: Sequence[Column]) -> tuple[str, ...]:
    """Describe the inputs, one line for each kind."""
    lines = []
    numbers = [column.name for column in columns if column.categories is None]
    categories = [f"{column.name} ({len(column.categories)})" for column in columns if column.categories is not None]
    for kind, listed in (("numbers", numbers), ("categories", categories)):
        if listed:
            lines.append(f"{len(listed)} column{'s' * (len(listed) > 1)} of {kind}: {shortened(listed)}")
    return tuple(lines)
