"""Uses a run that classifies images to evaluate the images of another run."""

from collections.abc import Callable

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.task import Task
from dltool.tasks.uses import translates_images


def measure_kept_classes(task: Task, run: LoadedRun, classifier: LoadedRun) -> None:
    """Let the task measure with the classifier whether translations keep the class of their sources.

    Raises:
        ConfigError: The run translates no images, or the classifier has other classes.
    """
    if not translates_images(task):
        raise ConfigError(f"{run.title} translates no images, so --classifier does not apply", "without --classifier")
    known, required = classifier.class_names, run.class_names
    if classifier.spec.target != "classes" or (required and known != required):
        of = f"the classes {', '.join(required)}" if required else "classes"
        raise ConfigError(
            f"{classifier.path} ({classifier.title}) does not predict {of}",
            "--classifier RUN of `dltool train model=lenet data=digit_styles 'data.styles=[…]'`",
        )
    task.classifier = classifier_of(classifier)


def classifier_of(run: LoadedRun) -> Callable[[Tensor], Tensor]:
    """A function that computes the run's logits of images `(B, C, H, W)` with pixels in [0, 1].

    Raises:
        ConfigError: The run takes no images.
    """
    preprocessing = run.preprocessing
    if not preprocessing.gives_pixels:
        raise ConfigError(f"{run.path} ({run.title}) takes no images", "--classifier RUN of a classifier of images")

    def classify(pixels: Tensor) -> Tensor:
        images = (255 * pixels).round().clamp(0, 255).to(torch.uint8)
        logits: Tensor = run.model(preprocessing.from_pixels(images).to(run.device)).float()
        return logits.to(pixels.device)

    return classify
