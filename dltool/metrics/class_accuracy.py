"""Whether samples belong to the requested classes."""

from typing import ClassVar, Literal

from dltool.declarations.component import register
from dltool.metrics.metric import State
from dltool.metrics.sample_metric import Images, SampleMetric


@register("metric", "class_accuracy", of="samples", needs="labels", direction="max")
class ClassAccuracy(SampleMetric):
    """The share of samples for which a classifier predicts the requested class."""

    floor_from: ClassVar[Literal["train", "held_out"]] = "held_out"

    def reset(self) -> None:
        self.hits = self.count = 0

    def update(self, samples: Images, held_out: Images) -> None:
        del held_out
        self.hits += int((samples.classes == samples.labels).count_nonzero())
        self.count += len(samples.places)

    def state(self) -> State:
        return {"hits": self.hits, "count": self.count}

    def merge_state(self, state: State) -> None:
        self.hits += state["hits"]
        self.count += state["count"]

    def compute(self) -> float:
        return self.hits / self.count
