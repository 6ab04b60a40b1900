"""Test-time augmentation: the model's outputs are averaged over several views of each image.

As Krizhevsky et al. (2012, section 4.1) average the predictions of ten crops and mirror images, probabilities are
averaged if the outputs have some, else the outputs themselves (Criterion.pool). Kinds of views multiply: hflip and
shift together are 2 × 5 views.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.spec import DataSpec
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Task

View = Literal["hflip", "vflip", "shift", "crops"]
CROPPED = 7 / 8  # 224 of 256 pixels, as in the paper.


def hflip(images: Tensor) -> list[Tensor]:
    """The images, and mirrored horizontally."""
    return [images, images.flip(3)]


def vflip(images: Tensor) -> list[Tensor]:
    """The images, and mirrored vertically."""
    return [images, images.flip(2)]


def shift(images: Tensor) -> list[Tensor]:
    """The images, and shifted by one pixel in each direction; border pixels are repeated."""
    height, width = images.shape[2:]
    wide = F.pad(images, (1, 1, 1, 1), mode="replicate")
    corners = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
    return [wide[:, :, top : top + height, left : left + width] for top, left in corners]


def crops(images: Tensor) -> list[Tensor]:
    """The four corners and the centre, 7/8 of each side, enlarged to the size of the images."""
    height, width = images.shape[2:]
    h, w = round(CROPPED * height), round(CROPPED * width)
    corners = [(0, 0), (0, width - w), (height - h, 0), (height - h, width - w), ((height - h) // 2, (width - w) // 2)]
    cut = [images[:, :, top : top + h, left : left + w] for top, left in corners]
    return [F.interpolate(part, size=(height, width), mode="bilinear", antialias=True) for part in cut]


VIEWS: dict[str, Callable[[Tensor], list[Tensor]]] = {"hflip": hflip, "vflip": vflip, "shift": shift, "crops": crops}


class AveragedOverViews(nn.Module):
    """A model with outputs pooled over several views.

    Args:
        model: Takes images `(B, C, H, W)`.
        views: Names of VIEWS.
        pool: From `(V, B, K)` to `(B, K)`.
    """

    def __init__(self, model: nn.Module, views: Sequence[View], pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.views = [VIEWS[view] for view in views]
        self.pool = pool

    def forward(self, images: Tensor) -> Tensor:
        images_of_views = [images]
        for view in self.views:
            images_of_views = [augmented for current in images_of_views for augmented in view(current)]
        return self.pool(torch.stack([self.model(current).float() for current in images_of_views]))


def with_tta(task: Task, views: Sequence[View], spec: DataSpec) -> Task:
    """The task with a model that averages over the views; the task itself without views.

    Raises:
        ConfigError: A view does not exist, the model does not take images, or the task is not supervised.
    """
    if not views:
        return task
    known = get_args(View)
    for view in views:
        if view not in known:
            near = nearest(view, known)
            raise ConfigError(
                f"{view} is not a view of test-time augmentation; the views are {', '.join(known)}",
                f"did you mean {near}?" if near else None,
            )
    if len(spec.input_shape) != 3 or not isinstance(task, SupervisedTask):
        raise ConfigError(
            "test-time augmentation needs images as inputs and a supervised task",
            "without --tta, and 'trainer.test_views=[]'",
        )
    averaged = task.with_model(AveragedOverViews(task.model, views, task.criterion.pool))
    averaged.model.training = task.model.training  # Not by train(), which would change the submodules.
    return averaged


@contextlib.contextmanager
def tta_context(task: Task, views: Sequence[View], spec: DataSpec) -> Iterator[None]:
    """Within the context, the task itself averages over the views, for its metrics and its watchers."""
    model = task.model
    task.model = with_tta(task, views, spec).model
    try:
        yield
    finally:
        task.model = model
