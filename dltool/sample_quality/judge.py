"""Holds samples of a generative model against held-out data, by what `task.metrics` asks for."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.numerals import numeral
from dltool.core.randomness import generator
from dltool.data.dataset import Dataset
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.metrics.frechet import frechet_distance
from dltool.metrics.kernel_distance import kernel_distance, standardized
from dltool.metrics.manifold import manifold_metrics
from dltool.metrics.mode_counts import mode_counts
from dltool.metrics.nearest import nearest_distances, nearest_metrics
from dltool.metrics.of_samples import LENET, SampleMetrics
from dltool.sample_quality.classifier import AnyClassifier
from dltool.tasks.generative import Draw

DRAWN_AT_ONCE = 500
COMPARED_PIXELS = 1000  # Images whose nearest training neighbour is sought.


class Features(Protocol):
    """A network that gives features of images."""

    sha256: str

    def features(self, pixels: Tensor) -> Tensor:
        """`(B, D)` of uint8 `(B, C, H, W)`."""
        ...


class Images(NamedTuple):
    """Images, and what the networks see in them; what is not asked for is empty.

    Attributes:
        features: float32 `(N, D)`.
        classes: As the classifier tells them, int64 `(N,)`.
        labels: As they are, or were asked for, int64 `(N,)`.
        pixels: uint8 `(N, C, H, W)`.
    """

    features: Tensor
    classes: Tensor
    labels: Tensor
    pixels: Tensor

    def select(self, rows: Tensor) -> "Images":
        return Images(*(values[rows.to(values.device)] if len(values) else values for values in self))

    @classmethod
    def joined(cls, parts: Iterable["Images"]) -> "Images":
        return cls(*map(torch.cat, zip(*parts, strict=True)))


class SampleJudge:
    """See dltool.tasks.generative.Judge.

    Samples become pixels first, rounded to 0 … 255 as one would save them, then what the network was trained on.
    Distances compare n samples with n of the split at hand, drawn at random from it (the halves of MNIST's test set
    differ by more than good models from it), the same ones each time. The floor beside a value is what as many
    training samples get in place of the model's.

    Args:
        asked: What is measured.
        dataset: The run's; its training split gives the floor and the nearest neighbours.
        preprocessing: What the run's images went through.
        classifier: None where nothing asks for one.
        inception: Gives the features in the classifier's place.

    Attributes:
        values: What the newest evaluation measured.
        remarks: The full name, value and floor of each distance among them; the floors of the others; the classifier.
    """

    def __init__(
        self,
        asked: SampleMetrics,
        dataset: Dataset,
        preprocessing: ImagePreprocessing,
        *,
        classifier: AnyClassifier | None = None,
        inception: Features | None = None,
    ) -> None:
        self.asked = asked
        self.dataset = dataset
        self.preprocessing = preprocessing
        self.classifier = classifier
        self.inception = inception
        self._training_pixels: Tensor | None = None
        self._floors: dict[tuple[str, int], dict[str, float]] = {}
        self.start("")

    def start(self, split: str) -> None:
        self.split = split
        self._parts: list[Images] = []
        self.values: dict[str, float] = {}
        self.reference: Images | None = None

    def see(self, batch: Batch) -> None:
        self._parts.append(self.look(batch.inputs, batch.targets))

    def look(self, inputs: Tensor, labels: Tensor | None) -> Images:
        """What is needed of inputs as the model has them, `(B, C, H, W)`."""
        pixels = self.preprocessing.pixels(inputs.float()).round().to(torch.uint8)
        return self.look_at_pixels(pixels, labels)

    def look_at_pixels(self, pixels: Tensor, labels: Tensor | None) -> Images:
        none = torch.empty(0, device=pixels.device)
        features = classes = none
        if self.classifier is not None:
            features, logits = self.classifier.see(pixels)
            classes = logits.argmax(dim=1)
        if self.inception is not None and self.asked.need("features"):
            features = self.inception.features(pixels)
        return Images(features, classes, none if labels is None else labels, pixels if self.keeps_pixels else none)

    @property
    def keeps_pixels(self) -> bool:
        return self.asked.need("pixels")

    def measure(self, draw: Draw) -> dict[str, float]:
        seen = Images.joined(self._parts)
        total = max(map(len, seen))
        self._parts = []
        count = min(self.asked.count, total)
        if count < 2:
            return {}
        rows = torch.randperm(total, generator=generator(0, "judge", "held out", self.split))[:count]
        self.reference = seen.select(rows)
        self.values = self.compare(self.draw_samples(draw, count), self.reference)
        return dict(self.values)

    def draw_samples(self, draw: Draw, count: int) -> Images:
        """As many samples, some at a time, each class in turn where the model is asked for one."""
        classes = self.classifier.num_classes if self.classifier is not None else 1
        at_once = classes * -(-DRAWN_AT_ONCE // classes)
        counts = [min(at_once, count - start) for start in range(0, count, at_once)]
        return Images.joined(self.look(*draw(number)) for number in counts)

    def compare(self, samples: Images, reference: Images) -> dict[str, float]:
        """What is asked for, in the order of the names."""
        values: dict[str, float] = {}
        names, logged = self.asked.names, self.asked.logged
        if "fd" in names:
            values[logged["fd"]] = frechet_distance(samples.features, reference.features)
        if "kid" in names:
            values[logged["kid"]], values[f"{logged['kid']}_sd"] = self.kernel(samples.features, reference.features)
        if {"precision", "recall", "density", "coverage"} & {*names}:
            manifold = manifold_metrics(reference.features, samples.features)
            values |= {name: value for name, value in manifold.items() if name in names}
        if {"modes", "kl_to_uniform"} & {*names}:
            assert self.classifier is not None
            counts = mode_counts(samples.classes, self.classifier.num_classes)
            values |= {name: value for name, value in counts.items() if name in names}
        if "class_accuracy" in names:
            values["class_accuracy"] = (samples.classes == samples.labels).double().mean().item()
        if "nearest" in names:
            first = partial(nearest_distances, data=self.training_pixels())
            held_out = first(reference.pixels[:COMPARED_PIXELS])
            values |= nearest_metrics(first(samples.pixels[:COMPARED_PIXELS]), held_out)
        return values

    def kernel(self, samples: Tensor, reference: Tensor) -> tuple[float, float]:
        if self.asked.features == LENET:
            samples, reference = standardized(samples, reference), standardized(reference, reference)
        return kernel_distance(samples, reference, generator(0, "judge", "subsets"))

    def training_pixels(self, rows: Tensor | None = None) -> Tensor:
        """The training images, or some of them, `(N, C, H, W)`; all are kept for the next time."""
        if self._training_pixels is not None:
            return self._training_pixels if rows is None else self._training_pixels[rows]
        wanted = torch.full((self.dataset.sizes["train"],), rows is None)
        if rows is not None:
            wanted[rows] = True
        parts, start = [], 0
        for batch in self.dataset.evaluation("train"):
            inputs = batch.inputs[wanted[start : start + batch.size].to(batch.inputs.device)]
            parts.append(self.preprocessing.pixels(inputs).round().to(torch.uint8))
            start += batch.size
        pixels = torch.cat(parts)
        if rows is None:
            self._training_pixels = pixels
        return pixels

    def floor(self) -> dict[str, float]:
        """The same measures of training samples against the held-out ones; nothing where these are training samples.

        Beside class_accuracy stands the classifier's on the held-out data, and beside the distance to the nearest
        training image that of the held-out ones.
        """
        if self.reference is None or self.split in ("train", "all"):
            return {}
        reference, count = self.reference, max(map(len, self.reference))
        key = (self.split, count)
        if key not in self._floors:
            size = self.dataset.sizes["train"]
            rows = torch.randperm(size, generator=generator(0, "judge", "train"))[:count]
            pixels = self.training_pixels(rows)
            if len(pixels) < len(rows):  # trainer.limit_batches leaves some out.
                return {}
            samples = self.look_at_pixels(pixels, None)
            if self.asked.need("classes"):
                samples = samples._replace(labels=reference.labels[: len(pixels)])
            self._floors[key] = self.floor_of(samples, reference)
        return self._floors[key]

    def floor_of(self, samples: Images, reference: Images) -> dict[str, float]:
        values = self.compare(samples._replace(pixels=reference.pixels), reference)
        if "class_accuracy" in values:
            values["class_accuracy"] = (reference.classes == reference.labels).double().mean().item()
        return values

    @property
    def remarks(self) -> list[str]:
        if not self.values:
            return []
        assert self.reference is not None
        where = f"n={in_thousands(max(map(len, self.reference)))}/ref={self.split}"
        floor, distances = self.floor(), [*self.asked.logged.values()]
        lines = []
        for name in distances:
            if name in self.values:
                spread = f" (sd {self.values[f'{name}_sd']:.2g})" if f"{name}_sd" in self.values else ""
                beside = f" (floor, train against {self.split}: {numeral(floor[name])})" if name in floor else ""
                lines.append(f"{name}@{self.sha256[:8]}/{where}: {numeral(self.values[name])}{spread}{beside}")
        if others := [name for name in floor if name not in distances and not name.endswith("_sd")]:
            listed = ", ".join(f"{name} {numeral(floor[name])}" for name in others)
            lines.append(f"{where}: what data in place of samples gets: {listed}")
        if self.classifier is not None:
            judge = self.classifier
            name = f"by a LeNet that dltool trained, {judge.sha256[:8]}"
            lines.append(f"{name}, which tells {judge.accuracy:.1%} of {judge.tested}")
        return lines

    @property
    def sha256(self) -> str:
        """Of the weights that the features come from."""
        network = self.inception or self.classifier
        return network.sha256 if network is not None else ""


def in_thousands(count: int) -> str:
    """10k for 10,000; other numbers as they are."""
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)
