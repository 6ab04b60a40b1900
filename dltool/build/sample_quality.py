"""Builds the evaluator for the metrics of samples in `task.metrics`, and the classifier that it needs."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.declarations.construct import build_component
from dltool.declarations.source import component
from dltool.metrics.of_samples import LENET, SampleMetrics
from dltool.metrics.sample_metric import SampleContext, SampleMetric
from dltool.sample_quality.classifier import AnyClassifier
from dltool.sample_quality.evaluator import Features, SampleQualityEvaluator
from dltool.sample_quality.inception import InceptionFeatures
from dltool.sample_quality.reference_classifier import Train, check_classes, reference_classifier
from dltool.sample_quality.training_images import TrainingImages
from dltool.tasks.task import Task


def attach_sample_evaluator(
    task: Task, data: Mapping[str, Any], dataset: Dataset, device: torch.device, train: Train | None
) -> None:
    """Build what the task's metrics of samples need, if it has any.

    Args:
        task: Any task.
        data: The `data` node of the config.
        dataset: The data set built from it.
        device: The device of the samples.
        train: See reference_classifier; None only checks the metrics, and leaves the task without an evaluator.

    Raises:
        ConfigError: If a metric cannot be computed for these samples.
    """
    asked = task.sample_metrics
    if not asked.names:
        return
    training = TrainingImages(dataset, data["name"])
    if asked.need("labels") and not task.num_classes:
        raise ConfigError(
            "task.metrics: class_accuracy is the share of samples of the requested class, and this model is not "
            "conditional",
            "a conditional model, such as model=cgan, or 'task.metrics=[fd,modes]'",
        )
    inception = None
    if asked.features != LENET and asked.need("features"):
        if dataset.spec.input_shape[0] not in (1, 3):
            channels = dataset.spec.input_shape[0]
            raise ConfigError(f"task.features: Inception takes grey and colour images, not {channels} channels")
        inception = InceptionFeatures(asked.features, device)
    needs_classifier = asked.need("classes", "labels") or (asked.need("features") and inception is None)
    if needs_classifier:
        check_classes(data, dataset)
    if train is None:
        return
    classifier = classifier_of(data, dataset, device, train) if needs_classifier else None
    task.sample_evaluator = build_sample_evaluator(asked, training, classifier=classifier, inception=inception)


def build_sample_evaluator(
    asked: SampleMetrics,
    training: TrainingImages,
    *,
    classifier: AnyClassifier | None = None,
    inception: Features | None = None,
) -> SampleQualityEvaluator:
    """The evaluator with the requested metrics; see SampleQualityEvaluator."""
    num_classes = classifier.num_classes if classifier is not None else 0
    context = SampleContext(num_classes, asked.features == LENET, training.pixels)
    metrics = {
        name: build_component(component("metric", name), {}, context, base=SampleMetric) for name in asked.registered
    }
    return SampleQualityEvaluator(asked, metrics, training, classifier=classifier, inception=inception)


def classifier_of(
    data: Mapping[str, Any], dataset: Dataset | None, device: torch.device, train: Train
) -> AnyClassifier:
    """The reference classifier for the images of a data set, each of whose channels may be an image of another set.

    Args:
        data: The `data` node of a config; missing keys have their defaults.
        dataset: The data set built from it; None loads it now.
        device: The device of the classifier.
        train: See reference_classifier.
    """
    if single := component("data", data["name"]).traits.stacked:
        shape = dataset.spec.input_shape if dataset is not None else loaded(data).spec.input_shape
        digits = with_defaults({"name": single} | {key: data[key] for key in ("root",) if key in data})
        return reference_classifier(digits, loaded(digits), device, train, build_lenet, stacked=shape[0])
    whole = with_defaults(data)
    return reference_classifier(whole, dataset or loaded(whole), device, train, build_lenet)


def build_lenet(spec: DataSpec) -> nn.Module:
    """The model of the recipe for reference classifiers."""
    model: nn.Module = build_component(component("model", "lenet"), {}, spec)
    return model


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: field.default for key, field in component("data", data["name"]).all_fields.items()} | {**data}


def loaded(data: Mapping[str, Any]) -> Dataset:
    dataset: Dataset = build_component(component("data", data["name"]), data)
    dataset.prepare(seed=0, device=torch.device("cpu"))
    return dataset
