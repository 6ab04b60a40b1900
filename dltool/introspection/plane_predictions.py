"""What a network predicts over the plane of its two inputs, or along its only one, in few numbers for a page."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dltool.core.randomness import derive_seed
from dltool.introspection.sample_points import rounded
from dltool.layers.uncompiled import uncompiled
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.task import Task

NODES = 40  # Along each axis of a plane.
LINE_NODES = 200
MARGIN = 0.1  # Beyond the samples, as a share of their range.


class Plane:
    """The nodes at which a network is asked.

    Args:
        points: See dltool.introspection.sample_points.sample_points.
    """

    def __init__(self, points: Mapping[str, Any]) -> None:
        samples = torch.tensor([row for split in points["points"].values() for row in split["inputs"]])
        low, high = samples.amin(0), samples.amax(0)
        margin = torch.where(high > low, MARGIN * (high - low), 1.0)
        self.low, self.high = low - margin, high + margin

    def inputs(self) -> Tensor:
        """The centres of the cells, row by row from the top, `(NODES², 2)`; of one input, `(LINE_NODES, 1)`."""
        if len(self.low) == 1:
            return self.low + (self.high - self.low) * centres(LINE_NODES)[:, None]
        second, first = torch.meshgrid(1 - centres(NODES), centres(NODES), indexing="ij")
        return self.low + (self.high - self.low) * torch.stack([first, second], -1).reshape(-1, 2)

    def predictions(self, task: Task, step: int) -> dict[str, Any]:
        """What the page draws; the modes, buffers and random numbers of the training stay as they are.

        Returns:
            {"step", "limits": [[low, high]] of each input, "classes": number of each node's class, "shares": its
            probability in %, "values": the numbers in the data's units}; without classes the lists of these are empty,
            with classes that of values.
        """
        device = next(task.model.parameters()).device
        with drawing_samples(task, derive_seed(0, "plane")), uncompiled(task.model):
            found = task.predict(self.inputs().to(device))
        limits = torch.stack([self.low, self.high], 1).tolist()
        if found.labels is None:
            return {"step": step, "limits": limits, "classes": [], "shares": [], "values": rounded(found.outputs[:, 0])}
        certain = torch.ones(len(found.labels), 1, device=device)
        shares = (certain if found.probabilities is None else found.probabilities).amax(1)
        whole = (100 * shares).round().int().tolist()
        return {"step": step, "limits": limits, "classes": found.labels.tolist(), "shares": whole, "values": []}


def centres(count: int) -> Tensor:
    """The centres of so many cells of [0, 1]."""
    return (torch.arange(count) + 0.5) / count
