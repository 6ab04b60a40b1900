"""What a data option loads: whole splits as tensors, and the check that they are what they claim to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.spec import Target
from dltool.data.image_files import ImageFiles

NAMED = 12  # Classes that an error lists.
NUMBERS = (torch.float64, torch.float32)  # float32 cannot tell 1.7e9 + 1 from 1.7e9 + 2.


@dataclass(frozen=True)
class Split:
    """The samples of one split.

    Attributes:
        inputs: Images, uint8 `(N, C, H, W)`; rows of numbers, `(N, D)`; sequences of them, `(N, T, D)`; or, where
            RawData has files or texts, their numbers, int64 `(N,)`. Numbers are float64, or float32 where nothing is
            lost by it; scaled, they are float32. Rows whose columns are described are float64, and hold a category's
            code, or NaN where a cell is missing, until they are encoded.
        targets: Labels, int64 `(N,)`; numbers, `(N, target_dim)`, of the same types as rows; or numbers of texts, int64
            `(N,)`.
        rows: Where each sample stands in its file, or in the whole that it was selected from, int64 `(N,)`; None for
            its position.
    """

    inputs: Tensor
    targets: Tensor
    rows: Tensor | None = None

    def __len__(self) -> int:
        return self.inputs.shape[0]

    def select(self, rows: Tensor) -> "Split":
        return Split(self.inputs[rows], self.targets[rows], rows if self.rows is None else self.rows[rows])

    @property
    def places(self) -> Tensor:
        """`rows`, or the positions that it stands for, int64 `(N,)`."""
        return torch.arange(len(self)) if self.rows is None else self.rows


@dataclass(frozen=True)
class Column:
    """What one column of `(N, D)` holds.

    Attributes:
        name: As in the file.
        categories: The text of each code; None for a column of numbers.
        fill: What a missing cell gets, from the training split; None allows no missing cell. Categories have no
            mean and get the mode.
        unknown: Whether a category that the training split lacks is an error, or none of the known ones.
    """

    name: str
    categories: tuple[str, ...] | None = None
    fill: Literal["mean", "mode"] | None = None
    unknown: Literal["refuse", "ignore"] = "refuse"


Text = str | Sequence[str]  # As it was found, or in words that are told apart already.


@dataclass(frozen=True)
class Texts:
    """What inputs and targets are the numbers of, until a tokeniser is fitted.

    Attributes:
        inputs: Texts; empty where the inputs are data.
        targets: Texts, or of each text a label for each of its words; empty where the targets are data.
    """

    inputs: Sequence[Text] = ()
    targets: Sequence[Any] = ()


@dataclass(frozen=True)
class RawData:
    """What a loader returns: the data as it was found, neither resized nor scaled.

    Attributes:
        train: All samples, or those of the official training split.
        val, test: Official splits, kept whole; None where there are none.
        target: What the targets are; see DataSpec.
        class_names: One name a class; label i is `class_names[i]`.
        feature_names: One name a column of `(N, D)`, for messages; may be empty.
        columns: What the columns of `(N, D)` hold; empty where all are numbers, none of them missing.
        target_dim: Numbers to predict per sample.
        standardize_targets: Whether the model learns them with mean 0 and deviation 1.
        centers, center_std: The known modes of a synthetic distribution; see DataSpec.
        held_out: False where so few samples exist that the same ones serve as train, val and test.
        files: The image files that inputs are the numbers of, not yet decoded; None where inputs are data.
        texts: The texts that inputs or targets are the numbers of.
        spans: Of samples of one series the first and the last moment that their target tells of, int64 `(N, 2)`, by
            which they are split in time; None for others.
        origin: The absolute path that the data came from, or what made it; it opens every error message.
        file_columns: Columns of the file, where it has no header; see TablePreprocessing.
        choices: What each `auto` of the loader's keys became, by its key.
        notes: What a person should know of how it was read, a line each.
    """

    train: Split
    val: Split | None
    test: Split | None
    target: Target
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    target_dim: int = 1
    standardize_targets: bool = False
    centers: tuple[tuple[float, ...], ...] = ()
    center_std: float = 0.0
    held_out: bool = True
    files: ImageFiles | None = None
    texts: Texts = Texts()
    spans: Tensor | None = None
    origin: str = "data"
    file_columns: int = 0
    choices: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def splits(self) -> dict[str, Split]:
        named = {"train": self.train, "val": self.val, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}


def check_data(raw: RawData) -> None:
    """Check every split of `raw`.

    Raises:
        DataError: A split is empty; inputs or targets have another dtype or shape than Split says, or than
            the other splits; a row holds a number that is not finite; a label lies outside the classes.
    """
    for name, split in raw.splits.items():
        where = f"{raw.origin}: {name}"
        if len(split) == 0:
            raise DataError(f"{where} split is empty")
        if raw.files is None and not raw.texts.inputs:
            _check_inputs(split.inputs, where, raw)
        if split.inputs.shape[1:] != raw.train.inputs.shape[1:]:
            raise DataError(
                f"{where} samples have the shape {tuple(split.inputs.shape[1:])}, "
                f"those of train {tuple(raw.train.inputs.shape[1:])}"
            )
        if split.targets.shape[:1] != split.inputs.shape[:1]:
            raise DataError(f"{where} has {len(split)} samples but {len(split.targets)} targets")
        if raw.target == "numbers":
            _check_numbers(split.targets, where, raw.target_dim)
        elif raw.target in ("classes", "binary"):
            _check_labels(split.targets, where, raw)


def _check_inputs(inputs: Tensor, where: str, raw: RawData) -> None:
    if raw.columns:  # Read cell by cell, and encoded later.
        assert inputs.dtype == torch.float64, inputs.dtype
        assert inputs.shape[1:] == (len(raw.columns),), inputs.shape
        return
    images = inputs.dtype == torch.uint8 and inputs.ndim == 4
    rows = inputs.dtype in NUMBERS and inputs.ndim in (2, 3)
    if not images and not rows:
        raise DataError(
            f"{where} inputs are {_describe(inputs)}; images must be uint8 (N, C, H, W), rows float64 or float32 "
            "(N, D), or (N, T, D) in time"
        )
    if rows:
        _check_finite(inputs, where, raw.feature_names)


def _check_numbers(targets: Tensor, where: str, target_dim: int) -> None:
    if targets.dtype not in NUMBERS or targets.shape[1:] != (target_dim,):
        raise DataError(f"{where} targets are {_describe(targets)}, not float32 (N, {target_dim}) or float64")
    _check_finite(targets, f"{where} target", ())


def _check_finite(values: Tensor, where: str, names: tuple[str, ...]) -> None:
    finite = values.isfinite()
    if not finite.all():
        row, *step, column = (~finite).nonzero()[0].tolist()
        name = f"{column} ({names[column]})" if names else str(column)
        time = f", step {step[0]}" if step else ""
        value = values[row, *step, column].item()
        raise DataError(f"{where} row {row}{time}, column {name} is {value}, not a finite number")


def _check_labels(labels: Tensor, where: str, raw: RawData) -> None:
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise DataError(f"{where} labels are {_describe(labels)}, not int64 (N,)")
    num_classes = len(raw.class_names)
    if raw.target == "binary" and num_classes != 2:
        raise DataError(f"{raw.origin}: a binary target has 2 classes, not {num_classes}")
    outside = (labels < 0) | (labels >= num_classes)
    if outside.any():
        sample = int(outside.nonzero()[0])
        raise DataError(
            f"{where} sample {sample} has the label {int(labels[sample])}, outside 0 … {num_classes - 1}",
            f"the classes are {', '.join(raw.class_names[:NAMED])}{', …' if num_classes > NAMED else ''}: mend "
            "or leave out that sample, or name the data set that has more",
        )


def _describe(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} {tuple(values.shape)}"
