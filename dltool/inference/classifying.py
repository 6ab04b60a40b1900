"""A run that tells classes of images apart, as the judge of what another one makes."""

from collections.abc import Callable

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.task import Task
from dltool.tasks.uses import translates_images


def measure_kept_classes(task: Task, run: LoadedRun, classifier: LoadedRun) -> None:
    """Let the task measure by the classifier whether translations keep the class of what they were made of.

    Raises:
        ConfigError: The run translates no images, or the other one does not know their classes.
    """
    if not translates_images(task):
        raise ConfigError(f"{run.title} translates no images, so that no class can be kept", "without --classifier")
    known, wanted = classifier.class_names, run.class_names
    if classifier.spec.target != "classes" or (wanted and known != wanted):
        of = f"the classes {', '.join(wanted)}" if wanted else "classes"
        raise ConfigError(
            f"{classifier.path} ({classifier.title}) does not tell {of} apart",
            "--classifier RUN of `dltool train model=lenet data=digit_styles 'data.styles=[…]'`",
        )
    task.classifier = classifier_of(classifier)


def classifier_of(run: LoadedRun) -> Callable[[Tensor], Tensor]:
    """What gives the run's logits of images `(B, C, H, W)` with pixels in [0, 1].

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
