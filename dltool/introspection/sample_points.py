"""The points of data that can be drawn whole: two inputs with a class, or one input with a number."""

from typing import Any

import torch
from torch import Tensor

from dltool.data.dataset import Dataset
from dltool.tasks.task import Task

MAX_POINTS = 2000  # Of training and validation together; of more, a random sample.
MAX_READ = 200_000  # Of a split.
DIGITS = 6


def sample_points(dataset: Dataset, task: Task) -> dict[str, Any] | None:
    """The training and validation samples as the model gets them; None for other data, or if nothing is predicted.

    Returns:
        {"classes": names, or empty for numbers, "outputs": those of a model with the default loss, "names" of the
        inputs, "shift" and "factor": a raw input is `input * factor + shift`, and so is a "target" with its own two,
        "sizes": number of samples by split, "points": {split: {"inputs": [[x, y]], "targets": [number]}}}.
    """
    spec, preprocessing = dataset.spec, dataset.preprocessing
    names = preprocessing.input_names
    with_classes = spec.input_shape == (2,) and spec.target in ("classes", "binary")
    with_numbers = spec.input_shape == (1,) and spec.target == "numbers" and spec.target_dim == 1
    ends = preprocessing.raw_numbers(torch.tensor([0.0, 1.0])[:, None].expand(2, len(names))) if names else None
    if not task.predicts or not (with_classes or with_numbers) or ends is None:
        return None
    shift, factor = ends[0], ends[1] - ends[0]
    chosen = {split: dataset.sizes[split] for split in ("train", "val") if split in dataset.sizes}
    share = min(MAX_POINTS / max(sum(chosen.values()), 1), 1)
    return {
        "classes": [*spec.class_names] if with_classes else [],
        "outputs": spec.num_classes if spec.target == "classes" else 1,
        "names": [*names],
        "shift": shift.tolist(),
        "factor": factor.tolist(),
        "target": {"shift": [*spec.target_mean] or [0.0], "factor": [*spec.target_std] or [1.0]},
        "sizes": chosen,
        "points": {split: points_of(dataset, split, int(share * size)) for split, size in chosen.items()},
    }


def points_of(dataset: Dataset, split: str, count: int) -> dict[str, Any]:
    """At most `count` samples of a split in a fixed random order."""
    batch = dataset.first_batch(split, MAX_READ)
    order = torch.randperm(batch.size, generator=torch.Generator().manual_seed(0))[: max(count, 1)]
    inputs, targets = batch.inputs.cpu()[order], batch.targets.cpu()[order]
    return {"inputs": rounded(inputs), "targets": rounded(targets.reshape(len(order)))}


def rounded(values: Tensor) -> Any:
    """Numbers with DIGITS significant digits, as nested lists."""
    if not values.is_floating_point():
        return values.tolist()
    return [rounded(row) if row.ndim else float(f"{row.item():.{DIGITS}g}") for row in values]
