"""The loss of mixed inputs is that of mixed targets, for whole batches and for micro-batches."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dltool.core.batch import Batch, Partners
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.losses.cross_entropy import CrossEntropy
from dltool.metrics.accuracy import accuracy
from dltool.tasks.supervised import SupervisedTask

SPEC = DataSpec((4,), class_names=("a", "b", "c"), output_dim=3)


def mixed_batch(weight):
    rng = generator(0, "mixed targets")
    inputs, targets = torch.randn(7, 4, generator=rng), torch.randint(3, (7,), generator=rng)
    return Batch(inputs, targets, 7, Partners(targets[torch.randperm(7, generator=rng)], weight))


def make_task(**fields):
    torch.manual_seed(0)
    return SupervisedTask(nn.Linear(4, 3), CrossEntropy(SPEC, **fields), SPEC)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_equals_cross_entropy_with_mixed_one_hot_targets(weight, smoothing):
    batch, task = mixed_batch(weight), make_task(label_smoothing=smoothing)
    soft = weight * F.one_hot(batch.targets, 3) + (1 - weight) * F.one_hot(batch.partners.targets, 3)
    outputs = task.model(batch.inputs)
    loss = task.loss(batch)
    torch.testing.assert_close(loss.mean, F.cross_entropy(outputs, soft, label_smoothing=smoothing))
    assert loss.count == 7
    shown = batch.targets if weight >= 0.5 else batch.partners.targets
    assert loss.logs["accuracy"].value() == accuracy(outputs, shown).value()


def test_with_class_weights_each_sample_counts_by_those_of_both_its_classes():
    batch, weights = mixed_batch(0.3), torch.tensor([1.0, 4.0, 0.5])
    task = make_task(class_weights=weights.tolist())
    logs = task.model(batch.inputs).log_softmax(1)
    total, count = 0, 0
    for row, own, other in zip(logs, batch.targets, batch.partners.targets, strict=True):
        for share, target in ((0.3, own), (0.7, other)):
            total = total - share * weights[target] * row[target]
            count = count + share * weights[target]
    loss = task.loss(batch)
    torch.testing.assert_close(loss.mean, total / count)
    torch.testing.assert_close(loss.count, count)
    parts = [task.loss(part) for part in batch.split(3)]
    torch.testing.assert_close(sum(part.mean * part.count for part in parts) / count, loss.mean)


def test_an_evaluation_mixes_nothing():
    batch = mixed_batch(0.3)
    task = make_task()
    with torch.no_grad():
        losses = [task.evaluate(b)["loss"].value() for b in (batch, batch._replace(partners=None))]
    assert losses[0] == losses[1]
