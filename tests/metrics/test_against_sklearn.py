"""Every metric over uneven batches equals scikit-learn's over all samples at once."""

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve
from torch import Tensor

from dltool.build.metrics import chosen_metrics, fits
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.declarations.source import component, registrations
from dltool.metrics.calibration import NUM_BINS, CalibrationError, confidences
from dltool.metrics.directions import declared_direction
from dltool.metrics.metric import UndefinedMetric

CLASSES = DataSpec((1,), "classes", tuple("abcdefgh"), output_dim=8)
TWO = DataSpec((1,), "binary", ("no", "yes"), output_dim=2)
ONE_LOGIT = DataSpec((1,), "binary", ("no", "yes"), output_dim=1)
LABELS = DataSpec((1,), "labels", tuple("abcde"), output_dim=5)
NUMBERS = DataSpec((1,), "numbers", target_dim=1, output_dim=1)
SEVERAL = DataSpec((1,), "numbers", target_dim=3, output_dim=3)
UNEVEN = [0, 1, 120, 123, 290, 300]


def drawn(spec: DataSpec, count: int = 300) -> tuple[Tensor, Tensor]:
    """Outputs that know something of the targets."""
    draw = torch.Generator().manual_seed(0)
    if spec.target == "numbers":
        targets = 1000 + torch.randn(count, spec.target_dim, generator=draw)
        return targets + 0.5 * torch.randn(count, spec.target_dim, generator=draw), targets
    if spec.target == "labels":
        targets = (torch.rand(count, spec.num_classes, generator=draw) < 0.3).long()
        return targets - 0.5 + torch.randn(targets.shape, generator=draw), targets
    targets = torch.randint(spec.num_classes, (count,), generator=draw)
    signal = torch.nn.functional.one_hot(targets, spec.num_classes)[:, -spec.output_dim :]
    outputs = 1.5 * signal + torch.randn(count, spec.output_dim, generator=draw)
    return outputs - (0.75 if spec.output_dim == 1 else 0), targets


def measure(name: str, spec: DataSpec, outputs: Tensor, targets: Tensor, edges: list[int] = UNEVEN) -> Any:
    metric = chosen_metrics([name], spec)[name]
    for _ in range(2):  # The second time after a reset.
        metric.reset()
        for start, end in pairwise(edges):
            metric.update(outputs[start:end], targets[start:end])
    return metric.compute()


def of_labels_by_sklearn(name: str, outputs: Tensor, targets: Tensor) -> float:
    y, found = targets.numpy(), (outputs > 0).numpy()
    kind, _, average = name.partition("_")
    match name:
        case "label_accuracy":
            return 1 - sklearn_metrics.hamming_loss(y, found)
        case "exact_match":
            return sklearn_metrics.accuracy_score(y, found)
        case "auroc":
            return sklearn_metrics.roc_auc_score(y, outputs.numpy(), average="macro")
    return getattr(sklearn_metrics, f"{kind}_score")(y, found, average=average)


def predicted(outputs: Tensor) -> np.ndarray:
    return (outputs.argmax(1) if outputs.shape[1] > 1 else outputs[:, 0] > 0).numpy()


def by_sklearn(name: str, outputs: Tensor, targets: Tensor) -> float:
    y = targets.double().numpy()
    kind, _, average = name.partition("_")
    match name:
        case "accuracy":
            return sklearn_metrics.accuracy_score(y, predicted(outputs))
        case "top_2_accuracy" | "top_3_accuracy" | "top_5_accuracy":
            return sklearn_metrics.top_k_accuracy_score(y, outputs.numpy(), k=int(name.split("_")[1]))
        case "auroc" if outputs.shape[1] > 2:
            return sklearn_metrics.roc_auc_score(y, outputs.double().softmax(1).numpy(), multi_class="ovr")
        case "auroc":
            return sklearn_metrics.roc_auc_score(y, (outputs[:, -1] - outputs[:, 0] * (outputs.shape[1] - 1)).numpy())
        case "mse":
            return sklearn_metrics.mean_squared_error(y, outputs.double().numpy())
        case "rmse":
            return sklearn_metrics.mean_squared_error(y, outputs.double().numpy()) ** 0.5
        case "mae":
            return sklearn_metrics.mean_absolute_error(y, outputs.double().numpy())
        case "r2":
            return sklearn_metrics.r2_score(y, outputs.double().numpy())
    function = getattr(sklearn_metrics, f"{kind}_score")
    return function(y, predicted(outputs), average=average or "binary")


FITTING = [
    (name, spec)
    for name in registrations()["metric"]
    for spec in (CLASSES, TWO, ONE_LOGIT, LABELS, NUMBERS, SEVERAL)
    if fits(name, spec) and name not in ("confusion", "calibration_error")
]


@pytest.mark.parametrize(
    ("name", "spec"), FITTING, ids=lambda v: v if isinstance(v, str) else f"{v.target}{v.output_dim}"
)
def test_equals_scikit_learn(name: str, spec: DataSpec) -> None:
    outputs, targets = drawn(spec)
    reference = of_labels_by_sklearn if spec.target == "labels" else by_sklearn
    expected = reference(name, outputs, targets)
    assert measure(name, spec, outputs, targets) == pytest.approx(
        expected, rel=1e-6 if name in ("mse", "rmse", "mae") else 1e-12
    )
    if spec.target != "numbers":
        assert 0.05 < expected < 0.97  # Else there would be nothing to tell apart.


def test_equal_scores_count_half_in_the_auroc() -> None:
    outputs, targets = drawn(ONE_LOGIT)
    outputs = outputs.round()
    expected = sklearn_metrics.roc_auc_score(targets.numpy(), outputs[:, 0].numpy())
    assert measure("auroc", ONE_LOGIT, outputs, targets) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("spec", [CLASSES, TWO, ONE_LOGIT], ids=lambda s: f"{s.target}{s.output_dim}")
def test_the_confusion_matrix(spec: DataSpec) -> None:
    outputs, targets = drawn(spec)
    confusion = chosen_metrics(["confusion"], spec)["confusion"]
    for part in (slice(0, 250), slice(250, 300)):
        confusion.update(outputs[part], targets[part])
    expected = sklearn_metrics.confusion_matrix(targets.numpy(), predicted(outputs))
    assert confusion.counts.tolist() == expected.tolist()  # type: ignore[attr-defined]
    assert confusion.compute() is None


@pytest.mark.parametrize("spec", [CLASSES, TWO, ONE_LOGIT], ids=lambda s: f"{s.target}{s.output_dim}")
def test_the_bins_of_the_calibration_error(spec: DataSpec) -> None:
    outputs, targets = drawn(spec)
    metric = CalibrationError(spec)
    for part in (slice(0, 9), slice(9, 300)):
        metric.update(outputs[part], targets[part])
    right = (predicted(outputs) == targets.numpy()).astype(float)
    accuracy, confidence = calibration_curve(right, confidences(outputs).numpy(), n_bins=NUM_BINS)
    counts = metric.sums[0][metric.sums[0] > 0].numpy()
    np.testing.assert_allclose(metric.sums[1][metric.sums[0] > 0].numpy() / counts, accuracy)
    np.testing.assert_allclose(metric.sums[2][metric.sums[0] > 0].numpy() / counts, confidence)
    assert metric.compute() == pytest.approx(np.average(np.abs(accuracy - confidence), weights=counts))
    assert metric.compute() > 0.01


def test_a_confidence_of_one_logit_is_that_of_two() -> None:
    outputs, targets = drawn(ONE_LOGIT)
    both = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
    one, two = (measure("calibration_error", s, o, targets) for s, o in ((ONE_LOGIT, outputs), (TWO, both)))
    assert one == pytest.approx(two, rel=1e-6)


def test_a_class_without_samples_and_predictions_is_left_out() -> None:
    outputs, targets = torch.eye(8)[[0, 0, 1, 1, 2]], torch.tensor([0, 1, 1, 1, 2])
    for name in ("precision_macro", "recall_macro", "f1_macro"):
        expected = by_sklearn(name, outputs, targets)
        assert measure(name, CLASSES, outputs, targets, [0, 2, 5]) == pytest.approx(expected)


UNDEFINED = [
    ("precision_macro", CLASSES, [0, 0, 0, 0], [0, 1, 2, 3], "no sample was predicted as b, c, d"),
    ("recall_macro", CLASSES, [0, 1], [0, 0], "the split has no sample of b"),
    ("precision", TWO, [0, 0], [0, 1], "no sample was predicted as yes"),
    ("recall", TWO, [0, 1], [0, 0], "the split has no sample of yes"),
    ("f1", TWO, [0, 0], [0, 0], "the split has no sample of, and no sample was predicted as, yes"),
    ("auroc", TWO, [0, 1], [0, 0], "the split has no sample of yes"),
    ("auroc", CLASSES, [0, 1], [0, 0], "the split has no sample of b and 6 more classes"),
]


@pytest.mark.parametrize(("name", "spec", "guesses", "labels", "reason"), UNDEFINED)
def test_where_there_is_no_value_it_says_why(
    name: str, spec: DataSpec, guesses: list[int], labels: list[int], reason: str
) -> None:
    outputs = torch.eye(spec.num_classes)[guesses]
    with pytest.raises(UndefinedMetric, match=f"^{reason}$"):
        measure(name, spec, outputs, torch.tensor(labels), [0, len(labels)])
    with warnings.catch_warnings(record=True) as caught:  # There scikit-learn has no value either.
        warnings.simplefilter("always")
        by_sklearn(name, outputs, torch.tensor(labels)) if name != "auroc" or spec is TWO else None
    assert caught or spec is CLASSES


def test_f1_is_zero_and_not_undefined_where_nothing_was_found() -> None:
    outputs, targets = torch.eye(8)[[0, 0, 0, 0]], torch.tensor([0, 1, 2, 3])
    assert measure("f1_macro", CLASSES, outputs, targets, [0, 4]) == pytest.approx(
        by_sklearn("f1_macro", outputs, targets)
    )


def test_r2_needs_targets_that_vary() -> None:
    with pytest.raises(UndefinedMetric, match="all targets are the same"):
        measure("r2", NUMBERS, torch.randn(4, 1), torch.ones(4, 1), [0, 3, 4])
    with pytest.raises(UndefinedMetric, match="single sample"):
        measure("r2", NUMBERS, torch.randn(1, 1), torch.ones(1, 1), [0, 1])


def test_scores_that_are_not_finite_have_no_order() -> None:
    outputs, targets = drawn(TWO)
    outputs[3, 1] = torch.nan
    with pytest.raises(UndefinedMetric, match="not finite"):
        measure("auroc", TWO, outputs, targets)


@pytest.mark.parametrize(
    ("name", "spec", "message", "hint"),
    [
        ("f1_marco", CLASSES, "f1_marco: no such metric exists; those that fit are accuracy, auroc,", "f1_macro?"),
        ("rmse", CLASSES, "rmse: does not fit targets that are classes; those that fit are accuracy", "[accuracy]"),
        ("accuracy", NUMBERS, "does not fit targets that are numbers; those that fit are mae, mse, r2, rmse", "mae"),
        ("precision", CLASSES, "precision: does not fit targets that are classes", "[accuracy]"),
        ("top_5_accuracy", DataSpec((1,), "classes", tuple("abcde")), "the data has 5 classes", "[accuracy]"),
    ],
)
def test_a_metric_that_does_not_fit(name: str, spec: DataSpec, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        chosen_metrics([name], spec)
    assert message in error.value.message
    assert hint in str(error.value.hint)


def test_the_direction_of_every_metric() -> None:
    of_outputs = [name for name in registrations()["metric"] if component("metric", name).traits.of == "outputs"]
    directions = {name: declared_direction(f"val/{name}") for name in of_outputs}
    smaller = {name for name, direction in directions.items() if direction == "min"}
    assert smaller == {"calibration_error", "mae", "mse", "rmse"}
    assert {name for name, direction in directions.items() if direction is None} == {"confusion"}
