"""Test-time augmentation: the model looks at each image several times, and what it says is averaged.

As Krizhevsky et al. (2012, section 4.1) average the predictions of ten crops and mirror images, probabilities are
averaged where the outputs stand for some, else the outputs themselves (Criterion.pool). Several kinds of views
multiply: hflip and shift together are 2 × 5 looks.
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
    """The images and their mirror images, left and right exchanged."""
    return [images, images.flip(3)]


def vflip(images: Tensor) -> list[Tensor]:
    """The images and their mirror images, top and bottom exchanged."""
    return [images, images.flip(2)]


def shift(images: Tensor) -> list[Tensor]:
    """The images, and shifted by a pixel to each side; the border's pixels are repeated."""
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
    """A model whose outputs are those of several looks, pooled.

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
        looks = [images]
        for view in self.views:
            looks = [seen for look in looks for seen in view(look)]
        return self.pool(torch.stack([self.model(look).float() for look in looks]))


def with_tta(task: Task, views: Sequence[View], spec: DataSpec) -> Task:
    """The task with a model that averages over the views; the task itself where there are none.

    Raises:
        ConfigError: There is no such view; the model takes no images, or the task does not compare its outputs.
    """
    if not views:
        return task
    known = get_args(View)
    for view in views:
        if view not in known:
            near = nearest(view, known)
            raise ConfigError(
                f"there is no view {view} for test-time augmentation; there are {', '.join(known)}",
                f"did you mean {near}?" if near else None,
            )
    if len(spec.input_shape) != 3 or not isinstance(task, SupervisedTask):
        raise ConfigError(
            "test-time augmentation looks several times at images to tell what they are",
            "without --tta, and 'trainer.test_views=[]'",
        )
    averaged = task.with_model(AveragedOverViews(task.model, views, task.criterion.pool))
    averaged.model.training = task.model.training  # Alone, not by train(), which would change the modules below it.
    return averaged


@contextlib.contextmanager
def tta_context(task: Task, views: Sequence[View], spec: DataSpec) -> Iterator[None]:
    """The task itself averages over the views meanwhile, in what it measures and in what watches it."""
    model = task.model
    task.model = with_tta(task, views, spec).model
    try:
        yield
    finally:
        task.model = model
