"""The picture of what an attack made of images."""

from pathlib import Path

import matplotlib.image
import pytest
import torch
from torch import nn

from dltool.attacks.adversary import Adversary
from dltool.attacks.pgd import PGD
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.losses.criterion import Criterion
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.hinge import Hinge
from dltool.observers.attacked_picture import captions, draw_attacked
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec(
    (3, 6, 4), class_names=("ant", "bee"), output_dim=2, pixel_shift=(9.0, 0.0, 5.0), pixel_factor=(0.1, 0.2, 0.3)
)


def attacked_task(loss: Criterion, eps: float = 0.2) -> SupervisedTask:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(72, 2))
    task = SupervisedTask(model, loss, SPEC, Adversary(PGD(eps=eps, steps=3), SPEC))
    evaluate(task, [Batch(torch.rand(3, 3, 6, 4) * 25, torch.tensor([0, 1, 1]), 3)])
    return task


@pytest.mark.parametrize("eps", [0.2, 0.0])
def test_draws_three_rows_in_colour(eps: float, tmp_path: Path) -> None:
    path = tmp_path / "plots" / "attacked.png"
    assert draw_attacked(attacked_task(CrossEntropy(SPEC), eps), path, "a title")
    pixels = matplotlib.image.imread(path)[..., :3]
    coloured = (pixels.max(2) - pixels.min(2) > 0.2).any(1)
    assert coloured.sum() > 50  # Rows of the picture.
    if eps == 0:  # Nothing changed, which is a grey row, not a division by zero.
        assert (abs(pixels - 0.5) < 0.01).all(2).any(1).sum() > 20


def test_says_how_surely_only_where_that_is_known() -> None:
    outputs = torch.tensor([[2.0, 2.0], [-5.0, 5.0]])
    assert captions(attacked_task(CrossEntropy(SPEC)), outputs, SPEC.class_names) == [
        (0, "ant  50 %"),
        (1, "bee  100 %"),
    ]
    assert captions(attacked_task(Hinge(SPEC)), outputs, SPEC.class_names) == [(0, "ant"), (1, "bee")]


def test_nothing_to_draw_without_an_attack(tmp_path: Path) -> None:
    task = SupervisedTask(nn.Flatten(), CrossEntropy(SPEC), SPEC)
    assert not draw_attacked(task, tmp_path / "attacked.png")
    assert not list(tmp_path.iterdir())
