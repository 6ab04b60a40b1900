"""Predictions of a model: for a batch, as a task returns them, and for all samples, with the names of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from dltool.core.spec import DataSpec


class Prediction(NamedTuple):
    """The predictions of a model for a batch.

    Attributes:
        outputs: The model's outputs, float32 `(B, output_dim)`; numbers in the data's units, float64 where they are
            standardized.
        labels: The predicted classes, int64 `(B,)`; None where the outputs are numbers.
        probabilities: Probability of each class, `(B, num_classes)`; None where the outputs have no probabilities.
    """

    outputs: Tensor
    labels: Tensor | None = None
    probabilities: Tensor | None = None


class Screen(Protocol):
    """The output of printed predictions; escapes line breaks and terminal control sequences."""

    def line(self, text: str) -> None:
        """Print one line."""
        ...

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> None:
        """Print rows under headings; the columns in `numbers` are right-aligned."""
        ...

    def pairs(self, above: Sequence[str], below: Sequence[str]) -> None:
        """Print each text of `below` under its text of `above`, wrapped at the screen's width, then an empty line."""
        ...


class AnyPredictions(Protocol):
    """The predictions of a task for N samples, in the form that suits the task."""

    @property
    def names(self) -> list[str]:
        """The name of each sample: its file, its row, its text."""
        ...

    def __len__(self) -> int: ...

    @property
    def values(self) -> list[Any]:
        """The prediction for each sample."""
        ...

    def truth(self, targets: Sequence[Tensor], spec: DataSpec) -> list[Any]:
        """The true value of each sample, from the model's targets, in the form of `values`."""
        ...

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each sample."""
        ...

    def table(self, targets: Sequence[Any] | None = None) -> tuple[list[str], list[list[Any]]]:
        """Headings and rows of a CSV file, with the true values where they are known."""
        ...

    def show(self, screen: Screen, count: int) -> None:
        """Print the predictions, with the `count` likeliest alternatives where there are some."""
        ...


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model for N samples.

    Attributes:
        names: The name of each sample: its file, its row, its position.
        outputs: The model's outputs, float32 `(N, output_dim)`; numbers in the data's units, float64 where they are
            standardized.
        indices: The predicted classes, int64 `(N,)`; None where numbers are predicted.
        probabilities: float32 `(N, num_classes)`; None where the outputs have no probabilities.
        class_names: Empty where numbers are predicted.
    """

    names: list[str]
    outputs: Tensor
    indices: Tensor | None
    probabilities: Tensor | None
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, names: list[str], parts: Sequence[Prediction], class_names: tuple[str, ...]) -> "Predictions":
        """Join the predictions of all batches."""
        outputs, labels, probabilities = (
            torch.cat([field.cpu() for field in fields]) if fields and fields[0] is not None else None
            for fields in zip(*parts, strict=True)
        )
        assert outputs is not None
        return cls(names, outputs, labels, probabilities, class_names if labels is not None else ())

    @staticmethod
    def truth(targets: Sequence[Tensor], spec: DataSpec) -> list[Any]:
        """The true value of each sample, a class name or a number, from the model's targets."""
        found = torch.cat(list(targets))
        if spec.target != "numbers":
            return [spec.class_names[label] for label in found.tolist()]
        numbers: list[Any] = spec.in_units(found).tolist()
        return [row[0] for row in numbers] if found.shape[1] == 1 else numbers

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> list[Any]:
        """The prediction for each sample: the name of a class, a number, or several numbers."""
        if self.indices is not None:
            return [self.class_names[index] for index in self.indices.tolist()]
        numbers: list[Any] = self.outputs.tolist()
        return [row[0] for row in numbers] if self.outputs.shape[1] == 1 else numbers

    def top(self, count: int) -> list[list[tuple[str, float]]]:
        """The likeliest classes of each sample and their probabilities, descending; empty without probabilities."""
        if self.probabilities is None:
            return [[] for _ in self.names]
        best = self.probabilities.topk(min(count, len(self.class_names)))
        return [
            [(self.class_names[index], probability) for index, probability in zip(row, values, strict=True)]
            for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each sample."""
        records = [{"input": name, "prediction": value} for name, value in zip(self.names, self.values, strict=True)]
        if self.probabilities is not None:
            for record, row in zip(records, self.probabilities.tolist(), strict=True):
                record["probabilities"] = dict(zip(self.class_names, row, strict=True))
        return records

    def table(self, targets: Sequence[Any] | None = None) -> tuple[list[str], list[list[Any]]]:
        """Headings and rows: input, true value if known, prediction (one column per number), each probability."""
        headings, rows = self._columns()
        if targets is None:
            return headings, rows
        with_targets = [[row[0], target, *row[1:]] for row, target in zip(rows, targets, strict=True)]
        return [headings[0], "target", *headings[1:]], with_targets

    def show(self, screen: Screen, count: int) -> None:
        """One line per sample: the prediction with its probability, then the next likeliest classes."""
        headings, rows = ["input", "prediction"], []
        if self.probabilities is not None:
            headings += ["probability", "then"][: min(count, 2)]
        for name, value, likeliest in zip(self.names, self.values, self.top(count), strict=True):
            row = [name, in_short(value)]
            if likeliest:
                row.append(f"{likeliest[0][1]:.4f}")
                row += ["  ".join(f"{label} {p:.4f}" for label, p in likeliest[1:])] * (count > 1)
            rows.append(row)
        screen.table(headings, rows, [2] if self.probabilities is not None else [])

    def _columns(self) -> tuple[list[str], list[list[Any]]]:
        if self.indices is None and self.outputs.shape[1] > 1:
            numbers: list[list[Any]] = self.outputs.tolist()
            headings = ["input", *(f"prediction_{i + 1}" for i in range(self.outputs.shape[1]))]
            return headings, [[name, *row] for name, row in zip(self.names, numbers, strict=True)]
        headings = ["input", "prediction"]
        rows: list[list[Any]] = [[name, value] for name, value in zip(self.names, self.values, strict=True)]
        if self.probabilities is not None:
            headings += [f"p({name})" for name in self.class_names]
            rows = [row + p for row, p in zip(rows, self.probabilities.tolist(), strict=True)]
        return headings, rows


def in_short(value: Any) -> str:
    """A class, or numbers with their significant digits."""
    if isinstance(value, list):
        return "  ".join(map(in_short, value))
    if not isinstance(value, float):
        return str(value)
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.12g}"
