"""What every metric of a generative model's samples is: two sets of images, and how they compare."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from dltool.metrics.metric import Metric, State


class Images(NamedTuple):
    """Images, and what the networks see in them; what nobody needs is empty.

    Attributes:
        features: float32 `(N, D)`.
        classes: That the classifier predicts, int64 `(N,)`.
        labels: As they are, or were asked for, int64 `(N,)`.
        pixels: uint8 `(N, C, H, W)`.
        places: Position of each among all of them, int64 `(N,)`: rows that were gathered in any order are sorted by it.
    """

    features: Tensor
    classes: Tensor
    labels: Tensor
    pixels: Tensor
    places: Tensor

    def select(self, rows: Tensor) -> "Images":
        """Some of them, numbered anew in the order of the rows."""
        chosen = Images(*(values[rows.to(values.device)] if len(values) else values for values in self))
        return chosen._replace(places=torch.arange(len(rows)))

    @classmethod
    def joined(cls, parts: Iterable["Images"]) -> "Images":
        """All parts, one behind the other and numbered so."""
        whole = cls(*(torch.cat(values) for values in zip(*parts, strict=True)))
        return whole._replace(places=torch.arange(len(whole.places)))


@dataclass(frozen=True)
class SampleContext:
    """What a metric of samples may need beside them.

    Attributes:
        num_classes: Of the classifier; 0 where there is none.
        own_network: Whether the features are of a network that dltool trained, whose scale is arbitrary.
        training_pixels: Gives the training images, uint8 `(N, C, H, W)`.
    """

    num_classes: int
    own_network: bool
    training_pixels: Callable[[], Tensor]


class SampleMetric(Metric):
    """A number that compares samples of a model with held-out data.

    It is registered as `@register("metric", "fd", of="samples", needs="features", direction="min")`, where `needs` is
    "features" (of a network), "classes" (that a classifier predicts), "labels" (those, and the classes that the model
    was asked for) or "pixels". One that reports several values names them, `reports=("nearest_distance", "copies")`,
    and `compute` gives as many; then `direction` may be a dict from name to direction. Where the name of a value is
    to say which network the features are of, `reports` is a dict from "lenet" and "inception" to the names.

    Args:
        context: See SampleContext.

    Attributes:
        floor_from: What takes the place of samples where the value of data itself is asked for: "train", as many
            training images, which have no labels; or "held_out", the held-out ones themselves.
    """

    floor_from: ClassVar[Literal["train", "held_out"]] = "train"

    def __init__(self, context: SampleContext) -> None:
        self.context = context
        self.reset()

    def update(self, samples: Images, held_out: Images) -> None:
        """Add some samples and some of the held-out data; either may be none."""
        raise NotImplementedError

    def compute(self) -> float | tuple[float, ...]:
        """The value, or the values in the order of `reports`."""
        raise NotImplementedError


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
    """A metric of samples that needs all rows of one kind at once.

    Attributes:
        column: Which: "features" or "pixels".
        max_rows: No more are kept, those of the first places; None keeps all.
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

    def compare(self, samples: Tensor, held_out: Tensor) -> float | tuple[float, ...]:
        """The value of all rows `(N, …)` and `(M, …)`, in the order of their places."""
        raise NotImplementedError
