"""Predictions of several labels per sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.tasks.predictions import Prediction, Screen

THRESHOLD = 0.5
JOINED = ";"


@dataclass(frozen=True)
class LabelPredictions:
    """The labels of N samples: those whose probability is above 0.5.

    Attributes:
        names: The name of each sample: its file, its row, its position.
        outputs: The model's logits, float32 `(N, num_classes)`.
        probabilities: The probability of each label, float32 `(N, num_classes)`.
        class_names: The names of the labels.
    """

    names: list[str]
    outputs: Tensor
    probabilities: Tensor
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, names: list[str], parts: Sequence[Prediction], class_names: tuple[str, ...]) -> "LabelPredictions":
        """Join the predictions of all batches."""
        probabilities = [part.probabilities.cpu() for part in parts if part.probabilities is not None]
        return cls(names, torch.cat([part.outputs.cpu() for part in parts]), torch.cat(probabilities), class_names)

    @staticmethod
    def truth(targets: Sequence[Tensor], spec: DataSpec) -> list[Any]:
        """The labels of each sample, from the model's targets."""
        return named(torch.cat(list(targets)) > 0, spec.class_names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> list[Any]:
        """The predicted labels of each sample; an empty list where no probability is above 0.5."""
        return named(self.outputs > 0, self.class_names)

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each sample."""
        rows = zip(self.names, self.values, self.probabilities.tolist(), strict=True)
        return [
            {"input": name, "prediction": value, "probabilities": dict(zip(self.class_names, row, strict=True))}
            for name, value, row in rows
        ]

    def table(self, targets: Sequence[Any] | None = None) -> tuple[list[str], list[list[Any]]]:
        """Headings and rows: input, true labels if known, predicted labels, the probability of each label."""
        headings = ["input", "prediction", *(f"p({name})" for name in self.class_names)]
        rows: list[list[Any]] = [
            [name, JOINED.join(value), *row]
            for name, value, row in zip(self.names, self.values, self.probabilities.tolist(), strict=True)
        ]
        if targets is None:
            return headings, rows
        with_targets = [[row[0], JOINED.join(target), *row[1:]] for row, target in zip(rows, targets, strict=True)]
        return [headings[0], "target", *headings[1:]], with_targets

    def show(self, screen: Screen, count: int) -> None:
        """One line per sample: the predicted labels with their probabilities, then the next likeliest labels."""
        heading = f"labels (probability above {THRESHOLD})"
        rows = []
        for name, value, row in zip(self.names, self.values, self.probabilities.tolist(), strict=True):
            ranked = sorted(zip(self.class_names, row, strict=True), key=lambda pair: -pair[1])
            shown = [f"{label} {p:.4f}" for label, p in ranked if label in value]
            others = [f"{label} {p:.4f}" for label, p in ranked if label not in value]
            rows.append([name, "  ".join(shown) or "none", "  ".join(others[: max(count - 1, 0)])])
        headings = ["input", heading, "then"] if count > 1 else ["input", heading]
        screen.table(headings, [row[: len(headings)] for row in rows])


def named(present: Tensor, class_names: Sequence[str]) -> list[list[str]]:
    """The names of the labels that are true in each row of `(N, num_classes)`."""
    return [[name for name, true in zip(class_names, row, strict=True) if true] for row in present.tolist()]
