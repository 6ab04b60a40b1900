"""The result of a data loader: whole splits as tensors, and checks of their dtypes, shapes and values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.core.spec import Target
from dltool.data.image_files import ImageFiles
from dltool.data.notation import Notation
from dltool.data.series_layout import SeriesLayout

NAMED = 12  # Classes that an error lists.
NUMBERS = (torch.float64, torch.float32)  # float32 does not distinguish 1.7e9 + 1 from 1.7e9 + 2.


@dataclass(frozen=True)
class Split:
    """The samples of one split.

    Attributes:
        inputs: Images, uint8 `(N, C, H, W)`; rows of numbers, `(N, D)`; sequences of them, `(N, T, D)`; or, where
            RawData has files or texts, indices of these, int64 `(N,)`. Numbers are float64, or float32 where that is
            exact; after scaling, float32. Rows with described columns are float64 and, until they are encoded, hold
            codes of categories and NaN for missing cells.
        targets: Labels, int64 `(N,)`; several per sample, int64 `(N, num_classes)`, 0 or 1; numbers, `(N, target_dim)`,
            of the same types as rows; or indices of texts, int64 `(N,)`.
        rows: The position of each sample in its file, or in the data that it was selected from, int64 `(N,)`; None for
            0 … N - 1.
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
        """`rows`, or 0 … N - 1 where it is None, int64 `(N,)`."""
        return torch.arange(len(self)) if self.rows is None else self.rows


@dataclass(frozen=True)
class Column:
    """The contents of one column of `(N, D)`.

    Attributes:
        name: As in the file.
        categories: The text of each code; None for a column of numbers.
        fill: The statistic of the training split that replaces a missing cell; None allows no missing cell. Categories
            have no mean and get the mode.
        unknown: Whether a category that the training split lacks is an error or is encoded as none of the known ones.
        notation: How the file writes the numbers, if not as Python does.
    """

    name: str
    categories: tuple[str, ...] | None = None
    fill: Literal["mean", "mode"] | None = None
    unknown: Literal["refuse", "ignore"] = "refuse"
    notation: Notation | None = None


Text = str | Sequence[str]  # Raw text, or text that is already split into words.


@dataclass(frozen=True)
class TextColumn:
    """The column of a CSV file that holds the texts; other files are read in the same way.

    Attributes:
        name: Its name; column_1, column_2, … in a file without a header.
        delimiter: The separator of the cells; "auto" if it was a tab, which the names of files tell.
        quote: See dltool.data.csv_file.read_csv.
        header: Whether the file had a header.
    """

    name: str
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe", "space"]
    quote: Literal["auto", "double", "none"]
    header: bool


@dataclass(frozen=True)
class Texts:
    """The texts that inputs and targets are indices of, until a tokeniser is fitted.

    Attributes:
        inputs: Texts; empty where the inputs are data.
        targets: Texts, or a label for each word of each text; empty where the targets are data.
        column: The column of the inputs, if they were read from a CSV file.
    """

    inputs: Sequence[Text] = ()
    targets: Sequence[Any] = ()
    column: TextColumn | None = None


@dataclass(frozen=True)
class RawData:
    """The result of a loader: the raw data, neither resized nor scaled.

    Attributes:
        train: All samples, or those of the official training split.
        val, test: Official splits, kept whole; None where none exist.
        target: The kind of the targets; see DataSpec.
        class_names: One name per class; label i is `class_names[i]`.
        feature_names: One name per column of `(N, D)`, for messages; may be empty.
        columns: The contents of the columns of `(N, D)`; empty where all are numbers and none is missing.
        target_dim: Numbers to predict per sample.
        standardize_targets: Whether targets that are numbers are scaled to mean 0 and deviation 1 for training.
        centers, center_std: The known modes of a synthetic distribution; see DataSpec.
        training_targets: The targets of the samples of `train` where they are trained on, such as those with outliers;
            None where these are the targets of `train`.
        held_out: False where so few samples exist that the same ones serve as train, val and test.
        files: The image files that inputs are indices of, not yet decoded; None where inputs are data.
        texts: The texts that inputs or targets are indices of.
        series: For samples of series in time, how they lie in the rows; None for other data.
        origin: The absolute path of the data, or the name of its generator; every error message starts with it.
        file_columns: Columns of the file, where it has no header; see TablePreprocessing.
        choices: The value chosen for each `auto` of the loader's keys, by key.
        notes: Messages for the user about how the data was read, one line each.
        describes_target: Whether the notes have the shares of the classes.
    """

    train: Split
    val: Split | None
    test: Split | None
    target: Target
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    target_dim: int = 1
    standardize_targets: bool = True
    centers: tuple[tuple[float, ...], ...] = ()
    center_std: float = 0.0
    training_targets: Tensor | None = None
    held_out: bool = True
    files: ImageFiles | None = None
    texts: Texts = Texts()
    series: SeriesLayout | None = None
    origin: str = "data"
    file_columns: int = 0
    choices: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    describes_target: bool = False

    @property
    def splits(self) -> dict[str, Split]:
        named = {"train": self.train, "val": self.val, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}


def check_data(raw: RawData) -> None:
    """Check every split of `raw`.

    Raises:
        DataError: A split is empty; inputs or targets have another dtype or shape than Split says, or than
            the other splits; a row holds a number that is not finite; a label is outside the classes.
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
                f"but train samples have {tuple(raw.train.inputs.shape[1:])}"
            )
        if split.targets.shape[:1] != split.inputs.shape[:1]:
            raise DataError(f"{where} has {len(split)} samples but {len(split.targets)} targets")
        if raw.target == "numbers":
            _check_numbers(split.targets, where, raw.target_dim)
        elif raw.target in ("classes", "binary"):
            _check_labels(split.targets, where, raw)
        elif raw.target == "labels":
            assert split.targets.dtype == torch.int64, split.targets.dtype
            assert split.targets.shape[1:] == (len(raw.class_names),), split.targets.shape


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
            "(N, D), or (N, T, D) for sequences"
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
            f"the classes are {', '.join(raw.class_names[:NAMED])}{', …' if num_classes > NAMED else ''}: fix "
            "or leave out that sample, or choose the data set that has more classes",
        )


def _describe(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} {tuple(values.shape)}"
