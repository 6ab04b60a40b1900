"""Real data sets that come with dltool, as files in builtin/, where README.md gives source and licence."""

import csv
import gzip
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from dltool.core.spec import Target
from dltool.data.arrays import RawData, Split
from dltool.data.image_data import ImageData
from dltool.data.positive_class import with_positive
from dltool.data.table_data import TableData
from dltool.declarations.component import Handling, Membership, register

FOLDER = Path(__file__).resolve().parent / "builtin"


@register("data", "digits", into=ImageData, inputs="image", targets="classes")
def digits(_rng: torch.Generator) -> RawData:
    """1,797 handwritten digits of 8×8 pixels (Alpaydin and Kaynak 1998), their 17 greys spread over 0 … 255."""
    # Three times as fast as the csv module, which matters for the default data of most commands.
    values = torch.from_numpy(np.loadtxt(FOLDER / "digits.csv.gz", np.int64, delimiter=",", skiprows=1))
    images = (values[:, :-1] * 255 + 8) // 16  # Rounded.
    images = images.to(torch.uint8).view(-1, 1, 8, 8)
    return RawData(
        Split(images, values[:, -1]), None, None, "classes", tuple("0123456789"), origin=str(FOLDER / "digits.csv.gz")
    )


@register("data", "iris", into=TableData, inputs="vector", targets="classes")
def iris(_rng: torch.Generator) -> RawData:
    """150 flowers of three species with four lengths in cm (Fisher 1936)."""
    return load_classes("iris.csv", ("setosa", "versicolor", "virginica"))


@register("data", "wine", into=TableData, inputs="vector", targets="classes")
def wine(_rng: torch.Generator) -> RawData:
    """178 wines of three cultivars with 13 chemical measurements (Aeberhard and Forina 1991)."""
    return load_classes("wine.csv", ("cultivar_1", "cultivar_2", "cultivar_3"))


@register("data", "breast_cancer", into=TableData, inputs="vector", targets="binary")
def breast_cancer(_rng: torch.Generator, *, positive: Membership[str | int | None] = "auto") -> RawData:
    """569 tumours with 30 measurements of their cell nuclei (Wolberg, Street and Mangasarian 1995).

    Args:
        _rng: Not used.
        positive: The positive class, which precision, recall, F1, AUROC and loss.pos_weight refer to. "auto" takes the
            rarer one, malignant; null takes benign, the second in the file.
    """
    return with_positive(load_classes("breast_cancer.csv.gz", ("malignant", "benign"), "binary"), positive)


@register("data", "diabetes", into=TableData, inputs="vector", targets="numbers")
def diabetes(
    _rng: torch.Generator, *, target_scaling: Handling[Literal["standardize", "none"]] = "standardize"
) -> RawData:
    """442 patients by ten raw measurements; the target is the disease's progression after a year (Efron et al. 2004).

    The measurements are in their own units, not scaled to unit length as in the paper's Table 1.

    Args:
        _rng: Not used.
        target_scaling: "standardize" to mean 0 and deviation 1 for training; metrics and predictions keep the units.
    """
    header, rows = read_table("diabetes.csv")
    values = torch.tensor([[float(value) for value in row] for row in rows], dtype=torch.float64)
    split = Split(values[:, :-1].contiguous(), values[:, -1:].contiguous())
    return RawData(
        split,
        None,
        None,
        "numbers",
        feature_names=header[:-1],
        standardize_targets=target_scaling == "standardize",
        origin=str(FOLDER / "diabetes.csv"),
    )


def load_classes(file: str, class_names: tuple[str, ...], target: Target = "classes") -> RawData:
    """Read a table whose last column names the class."""
    header, rows = read_table(file)
    inputs = torch.tensor([[float(value) for value in row[:-1]] for row in rows], dtype=torch.float64)
    labels = torch.tensor([class_names.index(row[-1]) for row in rows])
    return RawData(Split(inputs, labels), None, None, target, class_names, header[:-1], origin=str(FOLDER / file))


def read_table(file: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """The header and the rows of a CSV file in builtin/."""
    path = FOLDER / file
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    return tuple(header), rows
