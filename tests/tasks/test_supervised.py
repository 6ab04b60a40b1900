import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.evaluator import evaluate
from dltool.losses.binary_cross_entropy import BinaryCrossEntropy
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.mse import MSE
from dltool.metrics.mean import Mean, add_means
from dltool.models.mlp import MLP
from dltool.tasks.supervised import SupervisedTask

CLASSES = DataSpec((4,), "classes", ("a", "b", "c"), output_dim=3)
NUMBERS = DataSpec((4,), "numbers", target_dim=2, output_dim=2)


def batch_of(spec, size=10):
    inputs = torch.randn(size, 4)
    targets = torch.randn(size, 2) if spec.target == "numbers" else torch.randint(3, (size,))
    return Batch(inputs, targets, size)


def accumulate(task, batch, parts):
    """The gradient of a batch by micro-batches, each weighted by its count, and the sums of the logs."""
    task.model.zero_grad()
    total, sums = 0.0, {}
    for part in parts:
        loss = task.loss(Batch(batch.inputs[part], batch.targets[part], batch.full_size))
        (loss.mean * loss.count).backward()
        total = total + loss.count
        add_means(sums, loss.logs)
    gradients = [parameter.grad / total for parameter in task.model.parameters()]
    return gradients, {name: mean.value() for name, mean in sums.items()}


@pytest.mark.parametrize(
    ("spec", "loss"),
    [
        (CLASSES, CrossEntropy(CLASSES, class_weights=[0.2, 3.0, 1.0])),
        (CLASSES, CrossEntropy(CLASSES, label_smoothing=0.1)),
        (NUMBERS, MSE(NUMBERS)),
        (NUMBERS, MSE(NUMBERS, reduction="half")),
        (NUMBERS, MSE(NUMBERS, reduction="sum")),
    ],
)
def test_micro_batches_of_7_and_3_are_a_batch_of_10(spec, loss):
    task = SupervisedTask(MLP(spec, hidden=[5]), loss, spec, l1=0.01, l2=0.02)
    batch = batch_of(spec)
    whole, whole_logs = accumulate(task, batch, [slice(0, 10)])
    parts, parts_logs = accumulate(task, batch, [slice(0, 7), slice(7, 10)])
    torch.testing.assert_close(parts, whole)
    assert parts_logs == pytest.approx(whole_logs, rel=1e-5)


def test_sum_is_the_sum_over_the_batch():
    task = SupervisedTask(MLP(NUMBERS, hidden=[]), MSE(NUMBERS, reduction="sum"), NUMBERS)
    batch = batch_of(NUMBERS)
    expected = F.mse_loss(task.model(batch.inputs), batch.targets, reduction="sum")
    torch.testing.assert_close(task.loss(batch).mean, expected)
    assert task.loss(batch).logs["loss"].value() == pytest.approx(expected.item() / 10)


def test_penalties_by_hand_spare_biases_and_norms():
    model = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2), nn.Linear(2, 3))
    batch = batch_of(CLASSES)
    loss = CrossEntropy(CLASSES)
    with torch.no_grad():
        plain = SupervisedTask(copy.deepcopy(model), loss, CLASSES).loss(batch)
        penalized = SupervisedTask(model, loss, CLASSES, l1=0.5, l2=0.25).loss(batch)
    weights = torch.cat([model[0].weight.flatten(), model[2].weight.flatten()])
    expected = 0.5 * weights.abs().sum() + 0.25 * weights.square().sum()
    torch.testing.assert_close(penalized.mean, plain.mean + expected)
    assert penalized.logs["penalty"].value() == pytest.approx(expected.item())
    assert penalized.logs["loss"].value() == plain.logs["loss"].value()
    assert "penalty" not in plain.logs


def test_an_l2_step_of_sgd_is_weight_decay_of_twice_lambda():
    model = nn.Linear(4, 3, bias=False)
    twin = copy.deepcopy(model)
    batch = batch_of(CLASSES)
    for network, l2, decay in [(model, 0.05, 0.0), (twin, 0.0, 0.1)]:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=decay)
        SupervisedTask(network, CrossEntropy(CLASSES), CLASSES, l2=l2).loss(batch).mean.backward()
        optimizer.step()
    torch.testing.assert_close(model.weight, twin.weight)


def test_evaluation_of_numbers():
    task = with_metrics(SupervisedTask(MLP(NUMBERS), MSE(NUMBERS), NUMBERS), NUMBERS)
    batch = batch_of(NUMBERS)
    with torch.no_grad():
        errors = task.model(batch.inputs) - batch.targets
    metrics = evaluate(task, [batch])
    assert metrics == pytest.approx(
        {
            "loss": errors.square().sum(1).mean().item(),
            "rmse": errors.square().mean().sqrt().item(),
            "mae": errors.abs().mean().item(),
        }
    )
    assert set(task.loss(batch).logs) == {"loss"}
    assert task.main_metric == ("loss", "min")


def test_binary_and_classes_log_accuracy():
    spec = DataSpec((4,), "binary", ("a", "b"), output_dim=1)
    task = with_metrics(SupervisedTask(MLP(spec), BinaryCrossEntropy(spec), spec), spec)
    batch = Batch(torch.randn(8, 4), torch.randint(2, (8,)), 8)
    right = (task.model(batch.inputs).squeeze(1).sigmoid() > 0.5).long() == batch.targets
    assert task.loss(batch).logs["accuracy"].value() == right.float().mean().item()
    assert evaluate(task, [batch])["accuracy"] == right.float().mean().item()
    assert task.main_metric == ("accuracy", "max")


def test_logs_hold_no_graph():
    task = SupervisedTask(MLP(CLASSES), CrossEntropy(CLASSES), CLASSES, l2=0.1)
    for mean in task.loss(batch_of(CLASSES)).logs.values():
        assert isinstance(mean, Mean)
        assert not getattr(mean.total, "requires_grad", False)


def test_the_first_metric_of_classes_is_the_main_one():
    def main(spec, metrics):
        return with_metrics(SupervisedTask(MLP(spec), CrossEntropy(spec), spec, metrics=metrics), spec).main_metric

    assert main(CLASSES, ["confusion", "f1_macro", "accuracy"]) == ("f1_macro", "max")
    assert main(CLASSES, ["calibration_error"]) == ("calibration_error", "min")
    assert main(CLASSES, ["confusion"]) == main(CLASSES, []) == ("loss", "min")
    assert main(NUMBERS, ["r2"]) == ("loss", "min")


def test_an_undefined_metric_is_nan_with_a_reason_until_it_is_defined():
    spec = DataSpec((4,), "binary", ("no", "yes"), output_dim=2)
    task = with_metrics(SupervisedTask(MLP(spec), CrossEntropy(spec), spec, metrics=["auroc", "accuracy"]), spec)
    one_class, both = (Batch(torch.randn(4, 4), torch.tensor(t), 4) for t in ([0, 0, 0, 0], [0, 1, 0, 1]))
    assert math.isnan(evaluate(task, [one_class])["auroc"])
    assert task.undefined == {"auroc": "the split has no sample of yes"}
    assert 0 <= evaluate(task, [both])["auroc"] <= 1
    assert task.undefined == {}


def test_an_evaluation_that_was_broken_off_leaves_nothing_behind():
    named = SupervisedTask(MLP(CLASSES), CrossEntropy(CLASSES), CLASSES, metrics=["accuracy", "auroc", "f1_macro"])
    task = with_metrics(named, CLASSES)
    first, second = batch_of(CLASSES, 50), batch_of(CLASSES, 30)

    def stop():
        raise KeyboardInterrupt

    expected = evaluate(task, [second])
    with pytest.raises(KeyboardInterrupt):
        evaluate(task, [first], between_batches=stop)
    assert evaluate(task, [second]) == expected
