"""What is kept of an evaluation, batch by batch, is what a look at all of it at once would find."""

import pytest
import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.introspection.mistakes import NUM_EXAMPLES, NUM_KEPT, Mistakes
from dltool.losses.binary_cross_entropy import BinaryCrossEntropy
from dltool.losses.criterion import Criterion
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.hinge import Hinge
from dltool.tasks.supervised import SupervisedTask


def spec_of(num_classes: int) -> DataSpec:
    names = tuple(f"class {i}" for i in range(num_classes))
    return DataSpec((1, 2, 2), "classes", names, output_dim=num_classes)


def seen(criterion: Criterion, outputs: Tensor, targets: Tensor, sizes: list[int]) -> Mistakes:
    """After batches of uneven sizes; the pixels of an image are its number."""
    mistakes = Mistakes(criterion.spec, SupervisedTask(nn.Identity(), criterion, criterion.spec).interpret)
    mistakes.see(Batch(torch.full((3, 1, 2, 2), -1.0), torch.zeros(3, dtype=torch.long), 3), outputs[:3])
    mistakes.start()  # What was broken off is forgotten.
    images = torch.arange(len(targets)).float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    parts = zip(images.split(sizes), targets.split(sizes), outputs.split(sizes), strict=True)
    for x, y, z in parts:
        mistakes.see(Batch(x, y, len(y)), z)
    return mistakes


def test_the_surest_mistakes_of_all_batches() -> None:
    torch.manual_seed(0)
    outputs, targets = 3 * torch.randn(200, 5), torch.randint(5, (200,))
    outputs[7] = torch.nan
    mistakes = seen(CrossEntropy(spec_of(5)), outputs, targets, [64, 64, 1, 71])
    sure, predicted = outputs.softmax(1).max(1)
    sure[7] = predicted[7] = 0
    wrong = [i for i in range(200) if predicted[i] != targets[i] and i != 7]
    expected = sorted(wrong, key=lambda i: -sure[i])[:NUM_KEPT]
    worst = mistakes.surest()
    assert worst is not None
    assert worst.inputs[:, 0, 0, 0].int().tolist() == expected
    assert torch.equal(worst.predicted, predicted[expected])
    assert torch.equal(worst.targets, targets[expected])
    assert torch.allclose(worst.sureness, sure[expected])
    assert mistakes.has_probabilities
    assert mistakes.num_seen == 200
    assert mistakes.confusion is not None
    assert mistakes.num_wrong == 200 - int(mistakes.confusion.counts.trace())
    assert mistakes.examples is not None
    assert mistakes.examples[:, 0, 0, 0].tolist() == [*range(NUM_EXAMPLES)]


def test_of_a_perfect_model_there_are_none() -> None:
    targets = torch.arange(9) % 3
    mistakes = seen(CrossEntropy(spec_of(3)), 9 * torch.eye(3)[targets], targets, [4, 5])
    assert mistakes.surest() is None
    assert mistakes.num_wrong == 0


def test_one_output_for_two_classes() -> None:
    outputs, targets = torch.tensor([[2.0], [-3.0], [1.0], [-1.0]]), torch.tensor([0, 1, 1, 0])
    worst = seen(BinaryCrossEntropy(spec_of(2)), outputs, targets, [4]).surest()
    assert worst is not None
    assert worst.predicted.tolist() == [0, 1]
    assert worst.sureness.tolist() == pytest.approx(torch.tensor([3.0, 2.0]).sigmoid().tolist())


def test_scores_that_are_no_probabilities_are_ranked_by_their_lead() -> None:
    outputs = torch.tensor([[1.0, 0.0, 5.0], [9.0, 8.5, 0.0], [0.0, 2.0, 1.0]])
    mistakes = seen(Hinge(spec_of(3)), outputs, torch.tensor([0, 1, 1]), [2, 1])
    worst = mistakes.surest()
    assert worst is not None
    assert worst.sureness.tolist() == [4, 0.5]
    assert not mistakes.has_probabilities


def test_of_many_classes_there_is_no_matrix() -> None:
    few = seen(CrossEntropy(spec_of(100)), torch.randn(5, 100), torch.arange(5), [5])
    assert few.confusion is not None
    mistakes = seen(CrossEntropy(spec_of(1000)), torch.randn(5, 1000), torch.arange(5), [5])
    assert mistakes.confusion is None
    assert mistakes.surest() is not None
