import math

import pytest
import torch
import torch.nn.functional as F

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.losses.binary_cross_entropy import BinaryCrossEntropy
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.hinge import Hinge
from dltool.losses.huber import Huber
from dltool.losses.mae import MAE
from dltool.losses.minimax import Minimax
from dltool.losses.mse import MSE
from dltool.losses.non_saturating import NonSaturating
from dltool.losses.rbf_map import RbfMap

CLASSES = DataSpec((4,), "classes", ("a", "b", "c"), output_dim=3)
BINARY = DataSpec((4,), "binary", ("a", "b"), output_dim=1)
NUMBERS = DataSpec((4,), "numbers", target_dim=2, output_dim=2)
SCORES = torch.tensor([[1.0, 3.0, 2.5], [0.0, -1.0, 0.5], [2.0, 2.0, 2.0]])
LABELS = torch.tensor([1, 0, 2])


@pytest.mark.parametrize(("label_smoothing", "class_weights"), [(0.0, None), (0.2, None), (0.0, [1.0, 5.0, 0.5])])
def test_cross_entropy_is_torch_s(label_smoothing, class_weights):
    mean, count = CrossEntropy(CLASSES, label_smoothing=label_smoothing, class_weights=class_weights)(SCORES, LABELS)
    weights = None if class_weights is None else torch.tensor(class_weights)
    expected = F.cross_entropy(SCORES, LABELS, weights, label_smoothing=label_smoothing)
    torch.testing.assert_close(mean, expected)
    assert float(count) == (3 if class_weights is None else 6.5)


def test_smoothed_and_weighted_cross_entropy_by_hand():
    mean, count = CrossEntropy(CLASSES, label_smoothing=0.3, class_weights=[1.0, 5.0, 0.5])(SCORES, LABELS)
    log_p = SCORES.log_softmax(1)
    losses = [-(0.7 * log_p[i, y] + 0.1 * log_p[i].sum()) for i, y in enumerate(LABELS)]
    torch.testing.assert_close(mean, (5 * losses[0] + 1 * losses[1] + 0.5 * losses[2]) / 6.5)
    assert float(count) == 6.5


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_weighted_micro_batches_average_exactly(label_smoothing):
    loss = CrossEntropy(CLASSES, label_smoothing=label_smoothing, class_weights=[0.0, 5.0, 0.5])
    scores, labels = torch.randn(10, 3), torch.tensor([0, 1, 2, 1, 1, 0, 2, 0, 0, 0])
    parts = [loss(scores[part], labels[part]) for part in (slice(0, 7), slice(7, 10))]
    assert math.isfinite(parts[1][0])  # Its three samples all have weight zero.
    total = sum(mean * count for mean, count in parts)
    torch.testing.assert_close(total / sum(count for _, count in parts), loss(scores, labels)[0])


@pytest.mark.parametrize("weights", [[1.0, 2.0], [0.0, 0.0, 0.0]])
def test_class_weights_that_cannot_be(weights):
    with pytest.raises(ConfigError, match="class_weights"):
        CrossEntropy(CLASSES, class_weights=weights)


@pytest.mark.parametrize("pos_weight", [1.0, 3.0])
def test_binary_cross_entropy(pos_weight):
    logits, labels = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([1, 1, 0])
    mean, count = BinaryCrossEntropy(BINARY, pos_weight=pos_weight)(logits, labels)
    p = logits.squeeze(1).sigmoid()
    expected = -(pos_weight * p[0].log() + pos_weight * p[1].log() + (1 - p[2]).log()) / 3
    torch.testing.assert_close(mean, expected)
    assert count == 3


@pytest.mark.parametrize(("reduction", "expected"), [("mean", 15.0), ("half", 7.5), ("sum", 15.0)])
def test_mse_sums_components_and_averages_samples(reduction, expected):
    outputs, targets = torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 4.0]])
    loss = MSE(NUMBERS, reduction=reduction)
    mean, count = loss(outputs, targets)
    assert (mean.item(), count, loss.sums) == (expected, 2, reduction == "sum")


def test_mse_compares_classes_with_their_one_hot_codes():
    mean, _ = MSE(CLASSES)(torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 2.0]]), torch.tensor([1, 0]))
    assert mean.item() == (0 + (1 + 1 + 4)) / 2


def test_mae_and_huber():
    outputs, targets = torch.tensor([[0.5, 3.0], [0.0, -1.0]]), torch.zeros(2, 2)
    assert MAE(NUMBERS)(outputs, targets)[0].item() == 4.5 / 2
    assert Huber(NUMBERS, delta=2.0)(outputs, targets)[0].item() == (0.125 + 2 * (3 - 1) + 0 + 0.5) / 2


def test_hinge_of_weston_watkins_and_crammer_singer():
    # Violations: sample 0: 0, 0.5; sample 1: 0, 1.5; sample 2: 1, 1.
    assert Hinge(CLASSES)(SCORES, LABELS)[0].item() == pytest.approx((0.5 + 1.5 + 2) / 3)
    assert Hinge(CLASSES, violations="max")(SCORES, LABELS)[0].item() == pytest.approx((0.5 + 1.5 + 1) / 3)
    by_torch = 3 * F.multi_margin_loss(SCORES, LABELS, margin=0.3)
    torch.testing.assert_close(Hinge(CLASSES, margin=0.3)(SCORES, LABELS)[0], by_torch)


def test_lenet_s_criterion_is_equation_8_or_9():
    penalties = torch.tensor([[0.5, 2.0, 7.0], [3.0, 1.0, 0.2]])
    labels = torch.tensor([0, 1])
    mean, _ = RbfMap(CLASSES, competition=False)(-penalties, labels)
    assert mean.item() == pytest.approx((0.5 + 1.0) / 2)
    mean, _ = RbfMap(CLASSES, rubbish_penalty=0.1)(-penalties, labels)
    log_sums = (math.exp(-0.1) + (-penalties).exp().sum(1)).log()
    assert mean.item() == pytest.approx((0.5 + 1.0 + log_sums.sum().item()) / 2)
    assert mean > 0


REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])


@pytest.mark.parametrize("loss_class", [Minimax, NonSaturating])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_loss(loss_class, smoothing):
    d_real, d_fake = REAL.sigmoid(), FAKE.sigmoid()
    real = (1 - smoothing) * d_real.log() + smoothing * (1 - d_real).log()
    expected = -(real.mean() + (1 - d_fake).log().mean())
    torch.testing.assert_close(loss_class(CLASSES, label_smoothing=smoothing).discriminator(REAL, FAKE), expected)


def test_generator_losses():
    d_fake = FAKE.sigmoid()
    torch.testing.assert_close(Minimax(CLASSES).generator(FAKE), (1 - d_fake).log().mean())
    torch.testing.assert_close(NonSaturating(CLASSES).generator(FAKE), -d_fake.log().mean())


def test_only_the_non_saturating_gradient_survives_a_sure_discriminator():
    logits = torch.full((4,), -20.0, requires_grad=True)
    (weak,) = torch.autograd.grad(Minimax(CLASSES).generator(logits), logits)
    (strong,) = torch.autograd.grad(NonSaturating(CLASSES).generator(logits), logits)
    assert weak.abs().max() < 1e-8
    torch.testing.assert_close(strong, torch.full((4,), -0.25))


@pytest.mark.parametrize("pos_weight", [1.0, 3.0, [1.0, 2.0, 5.0]])
def test_binary_cross_entropy_of_labels_is_torch_s(pos_weight):
    spec = DataSpec((1,), "labels", ("a", "b", "c"), output_dim=3)
    outputs, targets = torch.randn(7, 3), torch.randint(2, (7, 3))
    loss = BinaryCrossEntropy(spec, pos_weight=pos_weight)
    factor = torch.tensor(pos_weight).expand(3)
    expected = F.binary_cross_entropy_with_logits(outputs, targets.float(), pos_weight=factor)
    value, count = loss(outputs, targets)
    if pos_weight == 1.0:
        assert value == expected
    torch.testing.assert_close(value, expected)
    assert count == 7
    assert loss.probabilities(outputs).equal(outputs.sigmoid())


def test_balanced_weights_are_scikit_learn_s():
    numpy = pytest.importorskip("numpy")
    class_weight = pytest.importorskip("sklearn.utils.class_weight")
    labels = torch.tensor([0] * 12 + [1] * 5 + [2] * 3)
    spec = DataSpec((1,), "classes", ("a", "b", "c"), class_counts=(12, 5, 3), train_size=20)
    loss = CrossEntropy(spec, class_weights="balanced")
    expected = class_weight.compute_class_weight("balanced", classes=numpy.arange(3), y=labels.numpy())
    torch.testing.assert_close(loss.class_weights, torch.tensor(expected).float())
    assert loss.choices == {"loss.class_weights": expected.tolist()}
    assert not CrossEntropy(spec).choices


def test_balanced_positive_weights():
    two = DataSpec((1,), "binary", ("no", "yes"), class_counts=(30, 10), train_size=40)
    assert BinaryCrossEntropy(two, pos_weight="balanced").pos_weight == 3.0
    several = DataSpec((1,), "labels", ("a", "b"), class_counts=(10, 20), train_size=40)
    assert BinaryCrossEntropy(several, pos_weight="balanced").pos_weight.tolist() == [3.0, 1.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda s: CrossEntropy(s, class_weights="balanced"), "training split has no sample of b"),
        (lambda s: BinaryCrossEntropy(s, pos_weight="balanced"), "training split has no sample of b"),
        (lambda s: BinaryCrossEntropy(s, pos_weight=[1.0]), "each sample has one of two classes"),
    ],
)
def test_weights_that_cannot_be_balanced(build, message):
    spec = DataSpec((1,), "binary", ("a", "b"), class_counts=(4, 0), train_size=4)
    with pytest.raises(ConfigError, match=message):
        build(spec)
