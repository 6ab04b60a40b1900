"""The targets of the rows of a table: one class or number per row, several numbers, or several labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.core.spec import Target
from dltool.data.csv_file import CsvTable
from dltool.data.shares import describe_labels, describe_shares
from dltool.data.target_column import check_target, choose_kind, put_positive_last, read_target
from dltool.data.target_labels import read_labels, read_separated

Kind = Literal["auto", "classes", "integer_classes", "numbers"]
NAMED = 6  # Columns of numbers that a note describes.


@dataclass(frozen=True)
class TableTarget:
    """The targets of N rows.

    Attributes:
        names: The columns.
        kind: The kind of the targets; see DataSpec.
        values: float64 `(N, target_dim)` for numbers, `(N,)` for classes, `(N, num_classes)` for labels.
        missing: Where a cell is missing, bool `(N, len(names))`; `values` are then undefined.
        class_names: As in DataSpec.
        choices: See RawData.
        checked: Whether the kind was detected, so that constant targets are an error.
    """

    names: tuple[str, ...]
    kind: Target
    values: np.ndarray
    missing: np.ndarray
    class_names: tuple[str, ...] = ()
    choices: Mapping[str, object] = field(default_factory=dict)
    checked: bool = False

    def select(self, keep: np.ndarray, table: CsvTable) -> "TableTarget":
        """The targets of some rows, bool `(N,)`, none of which is missing.

        Raises:
            DataError: They are constant, or have nearly as many classes as rows, and the kind was detected.
        """
        kept = replace(self, values=self.values[keep], missing=self.missing[keep])
        if self.checked and len(self.names) == 1 and self.kind != "labels":
            check_target(table, kept.values.ravel(), self.class_names or None, self.names[0])
        return kept

    def tensor(self) -> torch.Tensor:
        """The targets of a Split."""
        targets = torch.from_numpy(self.values)
        return targets if self.kind == "numbers" else targets.long()

    @property
    def target_dim(self) -> int:
        return self.values.shape[1] if self.kind == "numbers" else 1

    def describe(self, *, standardized: bool) -> list[str]:
        """The targets as text, one line each."""
        if self.kind == "labels":
            return [f"target {', '.join(self.names[:NAMED])}: {describe_labels(self.values, self.class_names)}"]
        if self.kind != "numbers":
            counts = np.bincount(self.values.astype(int), minlength=len(self.class_names)).tolist()
            shares = describe_shares(counts, self.class_names)
            positive = f"; {self.class_names[1]} is the positive class (data.positive)" if self.kind == "binary" else ""
            return [f"target {self.names[0]}: {shares}{positive}"]
        learned = ", learned with mean 0 and deviation 1" if standardized else ""
        lines = [
            f"target {name}: numbers from {column.min():.10g} to {column.max():.10g}{learned}"
            for name, column in zip(self.names[:NAMED], self.values.T, strict=False)
        ]
        return [*lines, f"… and {len(self.names) - NAMED} more targets"] if self.names[NAMED:] else lines


def read_targets(
    table: CsvTable, indices: Sequence[int], kind: Kind, positive: str | int | None, separator: str | None
) -> TableTarget:
    """The targets in one or several columns.

    Args:
        table: With plain numbers.
        indices: The columns, at least one.
        kind: See csv_table.
        positive: See csv_table.
        separator: See csv_table.

    Raises:
        DataError: A cell does not fit its kind, or the columns do not fit each other.
    """
    names = tuple(table.names[index] for index in indices)
    if (separator is not None or len(indices) > 1) and positive not in ("auto", None):
        raise DataError(
            f"{table.origin}: data.positive={positive} is the positive class of one target with two classes, but each "
            "sample has several",
            "data.positive=auto",
        )
    if separator is not None:
        if len(indices) > 1:
            raise DataError(
                f"{table.origin}: data.separator divides the labels of one column, but data.target names "
                f"{len(indices)} columns",
                f"data.separator=null, or {setting('data.target', names[0])}",
            )
        values, missing, labels = read_separated(table, indices[0], separator)
        return TableTarget(names, "labels", values, missing, labels)
    if len(indices) > 1:
        return read_several(table, indices, names, kind)
    return read_one(table, indices[0], kind, positive)


def read_one(table: CsvTable, index: int, kind: Kind, positive: str | int | None) -> TableTarget:
    """The targets in one column."""
    found_kind = choose_kind(table, index) if kind == "auto" else kind
    values, classes = read_target(table, index, found_kind)
    choices: dict[str, object] = {"data.kind": found_kind} if kind == "auto" else {}
    names, missing = (table.names[index],), np.isnan(values)[:, None]
    if classes is None:
        return TableTarget(names, "numbers", values[:, None], missing, (), choices, kind == "auto")
    values, classes = put_positive_last(values, classes, positive, table.origin)
    if positive == "auto" and len(classes) == 2:
        choices["data.positive"] = classes[1]
    target: Target = "binary" if len(classes) == 2 else "classes"
    return TableTarget(names, target, values, missing, tuple(classes), choices, kind == "auto")


def read_several(table: CsvTable, indices: Sequence[int], names: tuple[str, ...], kind: Kind) -> TableTarget:
    """The targets in several columns: labels if each column has two classes, numbers if all are numbers.

    Raises:
        DataError: A column is named twice, or the columns are neither all labels nor all numbers.
    """
    if repeated := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{table.origin}: data.target names the column {repeated[0]} twice", "name each column once")
    if kind == "numbers":
        read = dict.fromkeys(indices, "numbers")
    else:
        read = {index: kind_of_several(table, index, kind) for index in indices}
    if set(read.values()) == {"numbers"}:
        values = np.column_stack([read_target(table, index, "numbers")[0] for index in indices])
        return TableTarget(names, "numbers", values, np.isnan(values))
    first = {found: table.names[index] for index, found in reversed(read.items())}
    if "classes" in first:
        raise DataError(
            f"{table.origin}: the target {first['classes']} has more than two classes; several targets are labels, "
            "each with two classes such as 0 and 1, or all numbers",
            f"train on it alone, {setting('data.target', first['classes'])}",
        )
    if len(first) > 1:
        raise DataError(
            f"{table.origin}: the target {first['two']} has two classes, but {first['numbers']} has numbers; one model "
            "predicts either",
            "a run for each, or data.kind=numbers, which learns all of them as numbers",
        )
    values, labels = read_labels(table, indices)
    return TableTarget(names, "labels", values, np.isnan(values), labels)


def kind_of_several(table: CsvTable, index: int, kind: Kind) -> Literal["two", "classes", "numbers"]:
    """What one of several target columns holds: two classes or fewer, more classes, or numbers."""
    found = choose_kind(table, index) if kind == "auto" else kind
    if kind == "auto" and found == "numbers":  # A short column, of which 0 and 1 occur too rarely to be detected.
        values = read_target(table, index, "numbers")[0]
        few = set(np.unique(values[~np.isnan(values)]).tolist())
        return "two" if few <= {0.0, 1.0} else "numbers"
    classes = read_target(table, index, found)[1]
    if classes is not None and len(classes) <= 2:
        return "two"
    return "numbers" if kind == "auto" and found == "integer_classes" else "classes"
