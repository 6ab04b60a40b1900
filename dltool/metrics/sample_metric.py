"""The base classes of metrics that compare a generative model's samples with held-out data."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from dltool.metrics.metric import Metric, State


class Images(NamedTuple):
    """Images and the networks' outputs for them; fields that no metric needs are empty.

    Attributes:
        features: float32 `(N, D)`.
        classes: The classifier's predictions, int64 `(N,)`.
        labels: The true or the requested classes, int64 `(N,)`.
        pixels: uint8 `(N, C, H, W)`.
        places: The position of each image among all of them, int64 `(N,)`, by which gathered rows are sorted.
    """

    features: Tensor
    classes: Tensor
    labels: Tensor
    pixels: Tensor
    places: Tensor

    def select(self, rows: Tensor) -> "Images":
        """Some of the images, renumbered in the order of the rows."""
        chosen = Images(*(values[rows.to(values.device)] if len(values) else values for values in self))
        return chosen._replace(places=torch.arange(len(rows)))

    @classmethod
    def joined(cls, parts: Iterable["Images"]) -> "Images":
        """All parts concatenated and numbered in this order."""
        whole = cls(*(torch.cat(values) for values in zip(*parts, strict=True)))
        return whole._replace(places=torch.arange(len(whole.places)))


@dataclass(frozen=True)
class SampleContext:
    """What a metric of samples may need in addition to them.

    Attributes:
        num_classes: The classifier's number of classes; 0 without a classifier.
        own_network: Whether the features are from a network that dltool trained, whose scale is arbitrary.
        training_pixels: Returns the training images, uint8 `(N, C, H, W)`.
    """

    num_classes: int
    own_network: bool
    training_pixels: Callable[[], Tensor]


class SampleMetric(Metric):
    """A metric that compares samples of a model with held-out data.

    It is registered as `@register("metric", "fd", of="samples", needs="features", direction="min")`, where `needs` is
    "features" (of a network), "classes" (that a classifier predicts), "labels" (those, and the requested classes) or
    "pixels". A metric with several values names them, `reports=("nearest_distance", "copies")`, and `compute` returns
    as many; then `direction` may be a dict from name to direction. If the names depend on the network of the features,
    `reports` is a dict from "lenet" and "inception" to the names.

    Args:
        context: See SampleContext.

    Attributes:
        floor_from: The data that replaces the samples for the floor: "train", as many training images, without
            labels; or "held_out", the held-out images themselves.
    """

    floor_from: ClassVar[Literal["train", "held_out"]] = "train"

    def __init__(self, context: SampleContext) -> None:
        self.context = context
        self.reset()

    @abstractmethod
    def update(self, samples: Images, held_out: Images) -> None:
        """Add some samples and some of the held-out data; either may be empty."""

    @abstractmethod
    def compute(self) -> float | tuple[float, ...]:
        """The value, or the values in the order of `reports`."""


class Rows:
    """Rows that are gathered in parts and read in the order of their places."""

    def __init__(self) -> None:
        self.parts: list[tuple[Tensor, Tensor]] = []

    def add(self, rows: Tensor, places: Tensor) -> None:
        """Add rows `(B, …)` and their places `(B,)`."""
        if len(rows):
            self.parts.append((rows, places.to(rows.device)))

    def gathered(self) -> tuple[Tensor, Tensor]:
        """All rows `(N, …)` and their places, in ascending order."""
        if not self.parts:
            return torch.empty(0), torch.empty(0, dtype=torch.int64)
        if len(self.parts) > 1:
            self.parts = [(torch.cat([rows for rows, _ in self.parts]), torch.cat([place for _, place in self.parts]))]
        rows, places = self.parts[0]
        if (places.diff() < 0).any():
            places, order = places.sort()
            self.parts = [(rows[order], places)]
        return self.parts[0]


class GatheredMetric(SampleMetric):
    """A metric of samples that needs all rows of one field at once.

    Attributes:
        column: The field: "features" or "pixels".
        max_rows: The number of rows that are kept, those of the first places; None keeps all.
    """

    column: ClassVar[Literal["features", "pixels"]] = "features"
    max_rows: ClassVar[int | None] = None

    def reset(self) -> None:
        self.samples, self.held_out = Rows(), Rows()

    def update(self, samples: Images, held_out: Images) -> None:
        for kept, images in ((self.samples, samples), (self.held_out, held_out)):
            rows, places = getattr(images, self.column), images.places
            if self.max_rows is not None and len(rows):
                first = places < self.max_rows
                rows, places = rows[first.to(rows.device)], places[first]
            kept.add(rows, places)

    def state(self) -> State:
        """The rows of both, and their places."""
        (samples, places), (held_out, held_out_places) = self.samples.gathered(), self.held_out.gathered()
        return {"samples": samples, "places": places, "held_out": held_out, "held_out_places": held_out_places}

    def merge_state(self, state: State) -> None:
        self.samples.add(state["samples"], state["places"])
        self.held_out.add(state["held_out"], state["held_out_places"])

    def compute(self) -> float | tuple[float, ...]:
        return self.compare(self.samples.gathered()[0], self.held_out.gathered()[0])

    @abstractmethod
    def compare(self, samples: Tensor, held_out: Tensor) -> float | tuple[float, ...]:
        """The value of all rows `(N, …)` and `(M, …)`, in the order of their places."""
