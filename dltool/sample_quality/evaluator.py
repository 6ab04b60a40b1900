"""Compares samples of a generative model with held-out data, by the metrics that `task.metrics` names."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import RunError
from dltool.core.numerals import numeral
from dltool.core.place import place_of_function
from dltool.core.randomness import generator
from dltool.metrics.metric import UndefinedMetric
from dltool.metrics.of_samples import SampleMetrics
from dltool.metrics.sample_metric import Images, SampleMetric
from dltool.sample_quality.classifier import AnyClassifier
from dltool.sample_quality.training_images import TrainingImages
from dltool.tasks.sample_evaluator import Draw

DRAWN_AT_ONCE = 500


class Features(Protocol):
    """A network that computes features of images."""

    sha256: str

    def features(self, pixels: Tensor) -> Tensor:
        """`(B, D)` of uint8 `(B, C, H, W)`."""
        ...


class SampleQualityEvaluator:
    """Implements the protocol of dltool.tasks.sample_evaluator.

    Samples are first converted to pixels, rounded to 0 … 255 as in a saved image, then to the network's inputs.
    Distances compare n samples with n of the evaluated split, drawn at random (the halves of MNIST's test set differ
    by more than good models from it), the same ones each time. The floor of a value is its value for as many training
    samples in place of the model's.

    Args:
        asked: The requested metrics.
        metrics: The registered metrics for them, by name, in the order in which they are reported.
        training: The run's training images, for the floor and the nearest neighbours.
        classifier: None if no metric needs one.
        inception: Computes the features in place of the classifier.

    Attributes:
        values: The values of the newest evaluation.
        remarks: The full name, value and floor of each distance; the floors of the others; the classifier.
    """

    def __init__(
        self,
        asked: SampleMetrics,
        metrics: Mapping[str, SampleMetric],
        training: TrainingImages,
        *,
        classifier: AnyClassifier | None = None,
        inception: Features | None = None,
    ) -> None:
        self.asked = asked
        self.metrics = metrics
        self.training = training
        self.classifier = classifier
        self.inception = inception
        self._needs_features, self._needs_pixels = asked.need("features"), asked.need("pixels")
        self._floors: dict[tuple[str, int], dict[str, float]] = {}
        self.start("")

    def start(self, split: str) -> None:
        self.split = split
        self._parts: list[Images] = []
        self.values: dict[str, float] = {}
        self.undefined: Mapping[str, str] = {}
        self.reference: Images | None = None

    def see(self, batch: Batch) -> None:
        self._parts.append(self.look(batch.inputs, batch.targets))

    def look(self, inputs: Tensor, labels: Tensor | None) -> Images:
        """What the metrics need of model inputs or samples `(B, C, H, W)`."""
        return self.extract_from_pixels(self.training.pixels_of(inputs), labels)

    def extract_from_pixels(self, pixels: Tensor, labels: Tensor | None) -> Images:
        none = torch.empty(0, device=pixels.device)
        features = classes = none
        if self.classifier is not None:
            features, logits = self.classifier.see(pixels)
            classes = logits.argmax(dim=1)
        if self.inception is not None and self._needs_features:
            features = self.inception.features(pixels)
        kept = pixels if self._needs_pixels else none
        return Images(features, classes, none if labels is None else labels, kept, torch.arange(len(pixels)))

    def measure(self, draw: Draw) -> dict[str, float]:
        seen = Images.joined(self._parts)
        total = len(seen.places)
        self._parts = []
        count = min(self.asked.count, total)
        if count < 2:
            return {}
        rows = torch.randperm(total, generator=generator(0, "judge", "held out", self.split))[:count]
        self.reference = seen.select(rows)
        self.values, self.undefined = self.compare(self.draw_samples(draw, count), self.reference)
        return dict(self.values)

    def draw_samples(self, draw: Draw, count: int) -> Images:
        """Draw samples in batches; a conditional model cycles through the classes."""
        classes = self.classifier.num_classes if self.classifier is not None else 1
        at_once = classes * -(-DRAWN_AT_ONCE // classes)
        counts = [min(at_once, count - start) for start in range(0, count, at_once)]
        return Images.joined(self.look(*draw(number)) for number in counts)

    def compare(
        self, samples: Images, reference: Images, *, for_floor: bool = False
    ) -> tuple[dict[str, float], dict[str, str]]:
        """The requested values, in the order of the metrics; and the reason for each value that is NaN.

        Args:
            samples: Samples of the model, or training images for the floor.
            reference: Held-out data.
            for_floor: Replace the samples by the held-out data in metrics whose floor is that of held-out data.
        """
        values: dict[str, float] = {}
        undefined: dict[str, str] = {}
        for name, metric in self.metrics.items():
            names = self.asked.values_of(name)
            metric.reset()
            metric.update(reference if for_floor and metric.floor_from == "held_out" else samples, reference)
            try:
                found = metric.compute()
            except UndefinedMetric as reason:
                found = (math.nan,) * len(names)
                undefined |= dict.fromkeys(names, str(reason))
            values |= named_values(names, found, metric)
            metric.reset()  # Not to keep the rows.
        return {name: values[name] for name in self.asked.reported}, undefined

    def floor(self) -> dict[str, float]:
        """The same metrics of data in place of samples; empty if the evaluated data are training samples.

        The data are as many training images, or the held-out images themselves, as each metric declares.
        """
        if self.reference is None or self.split in ("train", "all"):
            return {}
        reference, count = self.reference, len(self.reference.places)
        key = (self.split, count)
        if key not in self._floors:
            rows = torch.randperm(self.training.count, generator=generator(0, "judge", "train"))[:count]
            pixels = self.training.pixels(rows)
            if len(pixels) < len(rows):  # trainer.limit_batches leaves some out.
                return {}
            self._floors[key], _ = self.compare(self.extract_from_pixels(pixels, None), reference, for_floor=True)
        return self._floors[key]

    @property
    def remarks(self) -> list[str]:
        if not self.values:
            return []
        assert self.reference is not None
        where = f"n={in_thousands(len(self.reference.places))}/ref={self.split}"
        floor, distances = self.floor(), self.asked.distances
        lines = []
        for name in distances:
            if name in self.values:
                spread = f" (sd {self.values[f'{name}_sd']:.2g})" if f"{name}_sd" in self.values else ""
                shown_floor = f" (floor, train against {self.split}: {numeral(floor[name])})" if name in floor else ""
                lines.append(f"{name}@{self.sha256[:8]}/{where}: {numeral(self.values[name])}{spread}{shown_floor}")
        if others := [name for name in floor if name not in distances and not name.endswith("_sd")]:
            listed = ", ".join(f"{name} {numeral(floor[name])}" for name in others)
            lines.append(f"{where}: the same for data in place of samples: {listed}")
        if self.classifier is not None:
            classifier = self.classifier
            name = f"by a LeNet that dltool trained, {classifier.sha256[:8]}"
            lines.append(f"{name}, with an accuracy of {classifier.accuracy:.1%} on {classifier.tested}")
        return lines

    @property
    def sha256(self) -> str:
        """The SHA-256 of the weights that the features come from."""
        network = self.inception or self.classifier
        return network.sha256 if network is not None else ""


def named_values(names: Sequence[str], found: object, metric: SampleMetric) -> dict[str, float]:
    """Each name with its value.

    Raises:
        RunError: The metric does not give one number for each name.
    """
    numbers = found if isinstance(found, tuple) else (found,)
    if len(numbers) != len(names) or not all(isinstance(number, int | float) for number in numbers):
        raise RunError(
            f"{place_of_function(metric.compute)}: compute returns {found!r}, not a number for {' and '.join(names)}",
            "return a float; a metric with several values names them in its @register, reports=(…)",
        )
    return dict(zip(names, numbers, strict=True))


def in_thousands(count: int) -> str:
    """10k for 10,000; other numbers as they are."""
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)
