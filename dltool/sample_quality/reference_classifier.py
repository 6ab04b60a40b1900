"""The classifier that dltool trains for metrics of samples, once for each data set, and caches.

    outputs/classifiers/<key>/weights.safetensors
                              classifier.json       preprocessing, accuracy, recipe; the SHA-256 of the weights

The key is a hash of the images and of the recipe. The classifier is trained on all images except the test split,
however much the run holds out for validation, so that the values of runs are comparable: a distance on "val" uses
images that the classifier was trained on, one on "test" does not. A folder is written under another name and renamed,
so that it is either complete or absent; processes that need the same one wait for the first.
"""

import copy
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from dltool.config.check import Config, check
from dltool.config.compose import COMMAND_LINE, Composed, compose
from dltool.core import messages
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.process import OUTPUT_ROOT
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.data.fitted import from_json, to_json
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.runs.lock import one_process_at_a_time
from dltool.sample_quality.classifier import AnyClassifier, Classifier, StackedClassifier, digest_of
from dltool.sample_quality.training_images import image_preprocessing

FORMAT = 1
WEIGHTS, RECORD = "weights.safetensors", "classifier.json"
RECIPE = ("task=supervised", "model=lenet", "optim=adam", "schedule=cosine", "seed=0")
LEAST_EPOCHS, LEAST_STEPS, MOST_EPOCHS, BATCH_SIZE = 5, 4000, 60, 64
# Keys of the data that are left out: how the run draws and augments its batches.
OF_A_TRAINING = (
    "batch_size",
    "eval_batch_size",
    "shuffle",
    "drop_last",
    "sampling",
    "scaling",
    "mean",
    "std",
    "augment",
)
LEAST_SIDE = 32  # LeNet's minimum.


class Trained(NamedTuple):
    """The result of a training that leaves no run folder."""

    model: nn.Module
    spec: DataSpec
    preprocessing: Any
    metrics: dict[str, float]
    sizes: dict[str, int]


Train = Callable[[Config], Trained]
MakeModel = Callable[[DataSpec], nn.Module]
Say = Callable[[str], None]


def reference_classifier(
    data: Mapping[str, Any],
    dataset: Dataset,
    device: torch.device,
    train: Train,
    make_model: MakeModel,
    *,
    stacked: int = 0,
    say: Say = messages.say,
) -> AnyClassifier:
    """The classifier of a data set: from the cache, or trained now.

    Args:
        data: The `data` node of a config.
        dataset: The data set built from it. All but its test split is trained on; the test split gives the accuracy.
        device: The device of the classifier.
        train: Trains a config in memory.
        make_model: Returns the model of the recipe, with any weights.
        stacked: The number of channels if each channel of the images to classify is an image of this data; else 0.
        say: Prints a line about the training, which takes long.

    Raises:
        ConfigError: If the data has no classes, or is not images.
    """
    check_classes(data, dataset)
    recipe = recipe_for(data, dataset)
    key = key_of(recipe, dataset)
    folder = OUTPUT_ROOT / "classifiers" / key
    with one_process_at_a_time(folder):
        classifier = read(folder, device, make_model, say)
        if classifier is None:
            say(f"training the classifier for metrics of samples of {data['name']} (once; kept in {folder})")
            started = time.monotonic()
            trained = train(config_of(recipe, data, device))
            classifier = keep(folder, trained, recipe, time.monotonic() - started, device, make_model)
            say(f"its accuracy on {classifier.tested} is {classifier.accuracy:.1%} ({classifier.seconds:.0f} s)")
    return StackedClassifier(classifier, stacked) if stacked else classifier


def check_classes(data: Mapping[str, Any], dataset: Dataset) -> None:
    """Raises ConfigError if no image classifier can be trained on the data."""
    image_preprocessing(dataset, data["name"])
    if dataset.spec.target not in ("classes", "binary"):
        raise ConfigError(
            f"task.metrics: data={data['name']} has no classes, so no classifier can be trained on it",
            "'task.metrics=[nearest]', or for distances task.features=INCEPTION.pth",
        )


def recipe_for(data: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Everything that the classifier depends on except the images."""
    images = image_preprocessing(dataset, data["name"])
    kept = {key: copy.deepcopy(value) for key, value in data.items() if key not in OF_A_TRAINING}
    if learns_from_val(data, dataset):
        kept["val_fraction"] = 0.0
    if "resize" in kept:  # The size of the run's images, unless that is too small.
        kept["resize"] = list(images.size) if min(images.size) >= LEAST_SIDE else "auto"
    steps_per_epoch = math.ceil(sum(dataset.sizes[name] for name in splits_to_learn(data, dataset)) / BATCH_SIZE)
    epochs = min(max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps_per_epoch)), MOST_EPOCHS)
    return {"options": [*RECIPE, f"trainer.epochs={epochs}"], "data": kept | {"batch_size": BATCH_SIZE}}


def learns_from_val(data: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether the validation split was taken from the training data, and the test split gives the accuracy."""
    return "test" in dataset.sizes and dataset.held_out and data.get("num_folds") is None and "val_fraction" in data


def splits_to_learn(data: Mapping[str, Any], dataset: Dataset) -> list[str]:
    names = ("train", "val") if learns_from_val(data, dataset) else ("train",)
    return [name for name in names if name in dataset.sizes]


def key_of(recipe: Mapping[str, Any], dataset: Dataset) -> str:
    """16 hex digits of a hash of the recipe and of the training images with their labels."""
    how = {
        key: value for key, value in recipe["data"].items() if key in ("name", "resize", "size", "fit", "batch_size")
    }
    text = json.dumps([FORMAT, recipe["options"], how, dataset.spec.class_names], sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=8)
    dataset.hash_samples(splits_to_learn(recipe["data"], dataset), digest.update)
    return digest.hexdigest()


def config_of(recipe: Mapping[str, Any], data: Mapping[str, Any], device: torch.device) -> Config:
    """The config of a supervised training on the data, as a user could type it."""
    composed = compose(
        [
            *recipe["options"],
            f"trainer.device={device}",
            f"trainer.threads={torch.get_num_threads()}",
            "trainer=every_epoch",
            "trainer.evaluate_every_n_epochs=1000",
            "trainer.checkpoint.every_n_epochs=null",
        ]
    )
    tree: dict[str, Any] = {**composed.tree, "data": {**recipe["data"], "download": False}}
    if "download" not in data:
        del tree["data"]["download"]
    ours = Composed(tree, dict(composed.origins), {})
    ours.set_origin("data", COMMAND_LINE)  # As allowed for the run that needs it.
    return check(ours)


def keep(
    folder: Path,
    trained: Trained,
    recipe: Mapping[str, Any],
    seconds: float,
    device: torch.device,
    make_model: MakeModel,
) -> Classifier:
    """Write the classifier, and return it as it will be read."""
    split = next(name for name in ("test", "val", "train") if f"{name}/accuracy" in trained.metrics)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.model.state_dict().items()}
    record = {
        "format": FORMAT,
        "recipe": recipe,
        "fitted": to_json(trained.preprocessing, trained.spec),
        "output_dim": trained.spec.output_dim,
        "accuracy": trained.metrics[f"{split}/accuracy"],
        "tested": f"{counted(trained.sizes[split], f'{split} sample')}",
        "seconds": seconds,
        "sha256": digest_of(weights),
    }
    temporary = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        safetensors.torch.save_file(weights, temporary / WEIGHTS)
        (temporary / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # A damaged one.
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return from_record(record, weights, device, make_model)


def read(folder: Path, device: torch.device, make_model: MakeModel, say: Say) -> Classifier | None:
    """The classifier in a folder; None if it does not exist or is damaged."""
    if not folder.exists():
        return None
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        weights = safetensors.torch.load_file(folder / WEIGHTS)
        if digest_of(weights) != record["sha256"]:
            raise ValueError("its SHA-256 differs")
        return from_record(record, weights, device, make_model)
    except Exception as error:  # Invalid JSON, invalid safetensors or an older format may raise anything.
        say(f"warning: the classifier in {folder} is damaged ({type(error).__name__}: {error}) and is trained again")
        return None


def from_record(
    record: Mapping[str, Any], weights: dict[str, Tensor], device: torch.device, make_model: MakeModel
) -> Classifier:
    preprocessing, spec = from_json(record["fitted"], RECORD)
    with torch.random.fork_rng(devices=[]):
        model = make_model(spec)
    model.load_state_dict(weights)
    return Classifier(
        model.eval().requires_grad_(False).to(device),
        cast("ImagePreprocessing", preprocessing),
        spec.class_names,
        record["accuracy"],
        record["tested"],
        record["seconds"],
        record["sha256"],
    )
