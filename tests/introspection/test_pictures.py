"""What is measured of a network, as pictures."""

import torch
from torch import nn

from dltool.attacks.adversary import Adversary
from dltool.attacks.pgd import PGD
from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.introspection.mistakes import watch_mistakes
from dltool.introspection.pictures import attack_picture, metric_pictures, network_pictures, predicted_by
from dltool.losses.criterion import Criterion
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.hinge import Hinge
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec(
    (3, 6, 4), class_names=("ant", "bee"), output_dim=2, pixel_shift=(9.0, 0.0, 5.0), pixel_factor=(0.1, 0.2, 0.3)
)


def make_task(loss: Criterion, adversary: Adversary | None = None) -> SupervisedTask:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(72, 2))
    return with_metrics(SupervisedTask(model, loss, SPEC, adversary, metrics=["accuracy", "confusion"]), SPEC)


def measure(task: SupervisedTask) -> None:
    torch.manual_seed(0)
    evaluate(task, [Batch(torch.rand(3, 3, 6, 4) * 25, torch.tensor([0, 1, 1]), 3)])


def test_an_attack_has_a_picture_where_there_was_one() -> None:
    task = make_task(CrossEntropy(SPEC), Adversary(PGD(eps=0.2, steps=3), SPEC))
    assert attack_picture(task, SPEC, "a title") is None
    measure(task)
    figure = attack_picture(task, SPEC, "a title")
    assert figure is not None
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words[0] == "clean"
    assert len(words) == 3 + 2 * 3


def test_says_how_surely_only_where_that_is_known() -> None:
    outputs = torch.tensor([[2.0, 2.0], [-5.0, 5.0]])
    assert predicted_by(make_task(CrossEntropy(SPEC)), outputs, SPEC).captions() == ["ant  50 %", "bee  100 %"]
    assert predicted_by(make_task(Hinge(SPEC)), outputs, SPEC).captions() == ["ant", "bee"]


def test_those_of_a_network_and_of_its_metrics() -> None:
    task = make_task(CrossEntropy(SPEC))
    mistakes = watch_mistakes(task, SPEC)
    assert mistakes is not None
    assert network_pictures(task.model, mistakes, lambda pixels: pixels, "mlp", "test") == {}  # Nothing was measured.
    measure(task)
    pictures = network_pictures(task.model, mistakes, lambda pixels: pixels, "mlp", "val", receptive_field=True)
    drawn = {name for name, draw in pictures.items() if draw() is not None}
    assert drawn == {"kernels.png", "confusion.png", *(["misclassified.png"] if mistakes.num_wrong else [])}
    assert list(metric_pictures(task.metrics, "mlp")) == ["confusion.png"]


def test_only_classifiers_of_images_are_watched() -> None:
    rows = DataSpec((3,), class_names=("a", "b"), output_dim=2)
    assert watch_mistakes(SupervisedTask(nn.Linear(3, 2), CrossEntropy(rows), rows), rows) is None
