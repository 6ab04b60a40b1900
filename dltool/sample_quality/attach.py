"""Gives a generative task the judge that it asks for."""

from collections.abc import Mapping
from typing import Any

import torch

from dltool.core.errors import ConfigError
from dltool.data.dataset import Dataset
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.declarations.construct import build_component
from dltool.declarations.source import component
from dltool.metrics.of_samples import LENET
from dltool.sample_quality.classifier import AnyClassifier
from dltool.sample_quality.inception import InceptionFeatures
from dltool.sample_quality.judge import SampleJudge
from dltool.sample_quality.reference_classifier import Train, check_classes, reference_classifier
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.task import Task


def attach_judge(
    task: Task, data: Mapping[str, Any], dataset: Dataset, device: torch.device, train: Train | None
) -> None:
    """Build what `task.metrics` needs, if it asks for anything.

    Args:
        task: Any.
        data: The `data` node of the config.
        dataset: What that became.
        device: Where samples are made.
        train: See reference_classifier; None looks for what is wrong alone, and leaves the task without a judge.

    Raises:
        ConfigError: What is asked for cannot be measured of these samples.
    """
    if not isinstance(task, GenerativeTask) or not task.asked.names:
        return
    asked = task.asked
    if not isinstance(dataset.preprocessing, ImagePreprocessing):
        check_classes(data, dataset)
    assert isinstance(dataset.preprocessing, ImagePreprocessing)
    if "class_accuracy" in asked.names and not task.num_classes:
        raise ConfigError(
            "task.metrics: class_accuracy is the share of samples that are of the class asked for, and this model "
            "is asked for none",
            "a conditional model, such as model=cgan, or 'task.metrics=[fd,modes]'",
        )
    inception = None
    if asked.features != LENET and asked.need("features"):
        if dataset.spec.input_shape[0] not in (1, 3):
            channels = dataset.spec.input_shape[0]
            raise ConfigError(f"task.features: Inception sees grey and colour images, not {channels} channels")
        inception = InceptionFeatures(asked.features, device)
    needs_classifier = asked.need("classes") or (asked.need("features") and inception is None)
    if needs_classifier:
        check_classes(data, dataset)
    if train is None:
        return
    classifier = classifier_of(data, dataset, device, train) if needs_classifier else None
    task.judge = SampleJudge(asked, dataset, dataset.preprocessing, classifier=classifier, inception=inception)


def classifier_of(
    data: Mapping[str, Any], dataset: Dataset | None, device: torch.device, train: Train
) -> AnyClassifier:
    """The reference classifier for the images of a data set, whose channels may each be an image of another one.

    Args:
        data: The `data` node of a config; what it leaves out has the default.
        dataset: What that became; None loads it now.
        device: Where the classifier is wanted.
        train: See reference_classifier.
    """
    if single := component("data", data["name"]).traits.stacked:
        shape = dataset.spec.input_shape if dataset is not None else loaded(data).spec.input_shape
        digits = with_defaults({"name": single} | {key: data[key] for key in ("root",) if key in data})
        return reference_classifier(digits, loaded(digits), device, train, stacked=shape[0])
    whole = with_defaults(data)
    return reference_classifier(whole, dataset or loaded(whole), device, train)


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: field.default for key, field in component("data", data["name"]).all_fields.items()} | {**data}


def loaded(data: Mapping[str, Any]) -> Dataset:
    dataset: Dataset = build_component(component("data", data["name"]), data)
    dataset.prepare(seed=0, device=torch.device("cpu"))
    return dataset
