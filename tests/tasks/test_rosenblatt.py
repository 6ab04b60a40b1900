import pytest
import torch

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.metrics.mean import add_means
from dltool.models.perceptron import Perceptron
from dltool.tasks.rosenblatt import RosenblattTask

SPEC = DataSpec((2,), "binary", ("0", "1"))
CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}
# The widest margin of a unit vector on (x, 1): the vectors (1, 1, -1.5) and (1, 1, -0.5), and R = |(1, 1, 1)|.
BOUNDS = {"and": 3 / (0.5 / 4.25**0.5) ** 2, "or": 3 / (0.5 / 2.25**0.5) ** 2}


class Batches:
    """The four corners, `size` at a time."""

    def __init__(self, name, size):
        targets = torch.tensor(TARGETS[name])
        self.batches = [Batch(x, y, len(y)) for x, y in zip(CORNERS.split(size), targets.split(size), strict=True)]
        self.next = 0

    def draw(self):
        self.next += 1
        return self.batches[(self.next - 1) % len(self.batches)]


def train(name, size=4, lr=1.0, max_epochs=60):
    """Train until an epoch without mistakes; returns the task and the mistakes of each epoch."""
    task, source, mistakes = RosenblattTask(Perceptron(SPEC), None, SPEC, lr=lr), Batches(name, size), []
    for _ in range(max_epochs):
        sums = {}
        for _ in range(4 // size):
            add_means(sums, task.train_step(source, {}))
        mistakes.append(sums["mistakes"].value())
        assert sums["accuracy"].value() == 1 - mistakes[-1] / 4
        if mistakes[-1] == 0:
            break
    return task, mistakes


@pytest.mark.parametrize("name", ["and", "or"])
def test_separates_within_novikoff_s_bound(name):
    task, mistakes = train(name)
    assert mistakes[-1] == 0
    assert 0 < sum(mistakes) <= BOUNDS[name]
    assert task.model(CORNERS).flatten().tolist() == TARGETS[name]
    assert task.finish_evaluation({}) == {"total_mistakes": sum(mistakes)}


def test_never_separates_xor():
    task, mistakes = train("xor")
    assert len(mistakes) == 60
    assert min(mistakes) > 0
    batch = Batch(CORNERS, torch.tensor(TARGETS["xor"]), 4)
    assert task.evaluate(batch)["accuracy"].value() < 1


@pytest.mark.parametrize("size", [1, 2])
def test_batch_size_changes_nothing(size):
    (one, one_mistakes), (other, other_mistakes) = train("and", 4), train("and", size)
    assert one_mistakes == other_mistakes
    assert torch.equal(one.model.linear.weight, other.model.linear.weight)


def test_lr_only_scales_the_weights():
    (one, mistakes), (half, half_mistakes) = train("and"), train("and", lr=0.5)
    assert mistakes == half_mistakes
    torch.testing.assert_close(half.model.linear.weight, 0.5 * one.model.linear.weight)


def test_first_corrections_by_hand():
    task = RosenblattTask(Perceptron(SPEC), None, SPEC, lr=2.0)
    task.train_step(Batches("or", 4), {})
    # From zero all outputs are 0: (0, 1) is a mistake, and after it b = 2 makes (1, 0) and (1, 1) right.
    assert task.model.linear.weight.tolist() == [[0.0, 2.0]]
    assert task.model.linear.bias.tolist() == [2.0]


def test_state_keeps_the_count():
    task, mistakes = train("or")
    copy = RosenblattTask(Perceptron(SPEC), None, SPEC)
    copy.load_state_dict(task.state_dict())
    assert copy.finish_evaluation({})["total_mistakes"] == sum(mistakes)
    assert task.roles == {}
