"""The whole way of samples through their measures, on a data set of four classes that a LeNet learns in a second."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dltool.build.aside import reference_classifier, train_aside
from dltool.build.components import build_data
from dltool.build.prepare import prepare
from dltool.build.sample_quality import build_sample_evaluator, classifier_of
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.numerals import numeral
from dltool.metrics.of_samples import SampleMetrics
from dltool.runs.folder import RunFolder
from dltool.runs.lock import one_process_at_a_time
from dltool.sample_quality.classifier import Classifier, StackedClassifier
from dltool.sample_quality.evaluator import SampleQualityEvaluator, in_thousands
from dltool.sample_quality.training_images import TrainingImages
from dltool.training.check import check_one_batch

ALL = ("fd", "kid", "precision", "recall", "density", "coverage", "modes", "kl_to_uniform", "nearest")
CPU = torch.device("cpu")
TINY = ("model=gan", "data=digits", "model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "trainer.epochs=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the classifier of the digits is kept, so that it is trained once for all tests."""
    return tmp_path_factory.mktemp("classifiers")


@pytest.fixture
def configure_here(folder: Path, configure: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("dltool.sample_quality.reference_classifier.MOST_EPOCHS", 5)
    return configure


@pytest.fixture
def digits(configure_here: Callable[..., Config]) -> tuple[Config, Any, Classifier]:
    config = configure_here(*TINY)
    dataset = build_data(config, CPU)
    classifier = classifier_of(config["data"], dataset, CPU, train_aside)
    assert isinstance(classifier, Classifier)
    return config, dataset, classifier


def evaluator_of(dataset: Any, classifier: Any, *names: str, num_samples: int = 10_000) -> SampleQualityEvaluator:
    asked = SampleMetrics(names, num_samples)
    return build_sample_evaluator(asked, TrainingImages(dataset, "digits"), classifier=classifier)


def show(evaluator: SampleQualityEvaluator, dataset: Any, split: str = "test") -> None:
    evaluator.start(split)
    for batch in dataset.evaluation(split):
        evaluator.see(batch)


def data_as_samples(dataset: Any, split: str) -> Callable[[int], tuple[Tensor, Tensor]]:
    """A model that makes the data of a split, one after the other."""
    batches = list(dataset.evaluation(split))
    inputs, targets = torch.cat([b.inputs for b in batches]), torch.cat([b.targets for b in batches])
    drawn = 0

    def draw(count: int) -> tuple[Tensor, Tensor]:
        nonlocal drawn
        drawn += count
        return inputs[drawn - count : drawn], targets[drawn - count : drawn]

    return draw


class TestJudge:
    def test_data_in_place_of_samples_is_perfect(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, *ALL, "class_accuracy")
        show(evaluator, dataset)
        found = evaluator.measure(data_as_samples(dataset, "test"))
        assert list(found) == [
            *("fd_lenet", "kid_lenet", "kid_lenet_sd", "precision", "recall", "density", "coverage"),
            *("modes", "kl_to_uniform", "class_accuracy", "nearest_distance", "copies"),
        ]
        assert found["fd_lenet"] == pytest.approx(0, abs=1e-3)
        assert found["modes"] == 10
        assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)
        assert found["class_accuracy"] == pytest.approx(classifier.accuracy)

    def test_training_images_in_their_place_are_found_to_be_copies(self, digits: Any) -> None:
        _, dataset, _ = digits
        evaluator = evaluator_of(dataset, None, "nearest")
        show(evaluator, dataset)
        assert evaluator.measure(data_as_samples(dataset, "train")) == {"nearest_distance": 0, "copies": 1}

    def test_noise_is_far_from_the_data_and_more_noise_farther(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, "fd", "coverage", num_samples=200)
        data = data_as_samples(dataset, "train")
        distances = []
        for noise in (0.0, 0.5, 2.0):
            show(evaluator, dataset)
            found = evaluator.measure(lambda count, noise=noise: noisy(*data(count), noise))
            distances.append(found["fd_lenet"])
        assert distances == sorted(distances)
        assert distances[2] > 2 * distances[0]

    def test_remarks_give_the_full_name_and_the_floor(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, "fd", "class_accuracy", "nearest", num_samples=300)
        assert evaluator.remarks == []
        show(evaluator, dataset)
        evaluator.measure(data_as_samples(dataset, "test"))
        name = classifier.sha256[:8]
        floor = evaluator.floor()
        assert evaluator.remarks[0] == (
            f"fd_lenet@{name}/n=300/ref=test: {numeral(evaluator.values['fd_lenet'])} "
            f"(floor, train against test: {numeral(floor['fd_lenet'])})"
        )
        assert evaluator.remarks[1].startswith("n=300/ref=test: the same for data in place of samples: class_accuracy ")
        assert floor["copies"] == pytest.approx(0.05, abs=0.01)
        assert floor["fd_lenet"] > 0
        assert evaluator.remarks[-1].endswith("on 359 test samples")

    def test_there_is_no_floor_for_the_training_split(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, "fd", num_samples=100)
        show(evaluator, dataset, "train")
        evaluator.measure(data_as_samples(dataset, "test"))
        assert "/n=100/ref=train: " in evaluator.remarks[0]
        assert "floor" not in evaluator.remarks[0]

    def test_the_same_subset_each_time(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, "kid", num_samples=50)
        found = []
        for _ in range(2):
            show(evaluator, dataset)
            found.append(evaluator.measure(data_as_samples(dataset, "train")))
        assert found[0] == found[1]

    def test_each_class_is_asked_for_in_turn_as_often_as_the_others(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, "modes")
        counts = []
        evaluator.draw_samples(lambda count: counts.append(count) or (torch.zeros(count, 1, 8, 8), None), 1234)
        assert counts == [500, 500, 234]


def noisy(inputs: Tensor, targets: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    return inputs + noise * torch.randn(inputs.shape, generator=torch.Generator().manual_seed(0)), targets


class TestClassifier:
    def test_is_read_the_second_time(self, digits: Any, capsys: pytest.CaptureFixture[str]) -> None:
        config, dataset, classifier = digits
        capsys.readouterr()

        def fail(config: Config) -> Any:
            raise AssertionError("it is trained again")

        again = classifier_of(config["data"], dataset, CPU, fail)
        assert again.sha256 == classifier.sha256
        images = dataset.splits["test"].inputs
        assert torch.equal(again(images), classifier(images))
        assert capsys.readouterr().err == ""

    def test_tells_the_digits(self, digits: Any) -> None:
        _, dataset, classifier = digits
        test = dataset.splits["test"]
        right = (classifier(test.inputs).argmax(dim=1) == test.targets).double().mean().item()
        assert right == pytest.approx(classifier.accuracy)
        assert right > 0.85
        features = classifier.see(test.inputs).features
        assert features.shape == (359, 84)
        assert (features >= 0).all()

    @pytest.mark.parametrize("damage", ["weights.safetensors", "classifier.json"])
    def test_a_damaged_one_is_trained_anew(
        self, digits: Any, folder: Path, damage: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config, dataset, classifier = digits
        (path,) = folder.glob(f"outputs/classifiers/*/{damage}")
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 8] = b"\x00" * 8
        path.write_bytes(content)
        again = classifier_of(config["data"], dataset, CPU, train_aside)
        assert again.sha256 == classifier.sha256  # Trained to the bit as before.
        assert "is damaged" in capsys.readouterr().err
        assert not list(folder.glob("outputs/classifiers/.*-*"))

    def test_other_ways_to_draw_the_same_images_share_it(self, digits: Any, configure_here: Any) -> None:
        _, _, classifier = digits
        config = configure_here(
            *TINY, "data.batch_size=7", "data.augment.shift=1", "data.scaling=unit", "data.val_fraction=0"
        )
        again = classifier_of(config["data"], build_data(config, CPU), CPU, lambda config: pytest.fail("another"))
        assert again.sha256 == classifier.sha256

    def test_can_be_had_for_a_data_set_by_its_name(self, digits: Any) -> None:
        _, dataset, classifier = digits
        again = reference_classifier({"name": "digits"}, CPU)
        assert again.sha256 == classifier.sha256
        assert again(dataset.splits["test"].inputs[:5]).shape == (5, 10)

    def test_of_several_channels_has_the_classes_of_all(self, digits: Any) -> None:
        _, dataset, single = digits
        stacked = StackedClassifier(single, 3)
        images = dataset.splits["test"].inputs[:30].view(10, 3, 8, 8)
        digit = single(images.flatten(0, 1)[:, None]).argmax(dim=1).view(10, 3)
        seen = stacked.see(images)
        assert seen.logits.shape == (10, 1000)
        assert seen.logits.argmax(dim=1).tolist() == (digit @ torch.tensor([100, 10, 1])).tolist()
        assert seen.features.shape == (10, 252)

    def test_a_second_process_waits_for_the_first(self, tmp_path: Path) -> None:
        order: list[str] = []
        inside = threading.Event()

        def wait_and_enter() -> None:
            inside.wait(timeout=10)
            with one_process_at_a_time(tmp_path / "made" / "key"):
                order.append("second")

        other = threading.Thread(target=wait_and_enter)
        other.start()
        with one_process_at_a_time(tmp_path / "made" / "key"):
            inside.set()
            other.join(timeout=0.1)
            order.append("first")
        other.join(timeout=10)
        assert order == ["first", "second"]


class TestWholeRuns:
    def test_the_names_are_known_before_anything_is_measured(self, digits: Any) -> None:
        _, dataset, classifier = digits
        evaluator = evaluator_of(dataset, classifier, *ALL)
        show(evaluator, dataset)
        measured = evaluator.measure(lambda count: (torch.zeros(count, 1, 8, 8), None))
        assert sorted(evaluator.asked.reported) == sorted(measured)

    def test_a_check_trains_no_classifier(self, configure: Any, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path)
        config = configure(*TINY, "task.metrics=[fd]", "stop.metric=val/fd_lenet", "stop.patience=3")
        assert check_one_batch(config) == 0
        assert not list(tmp_path.iterdir())

    def test_a_conditional_model_is_asked_for_classes(self, configure_here: Any, tmp_path: Path) -> None:
        parts = prepare(
            configure_here(*TINY, "model.condition=input", "task.metrics=[class_accuracy]"),
            train_classifier=train_aside,
        )
        trainer = build_trainer(parts, RunFolder(tmp_path))
        trainer.fit()
        assert 0 <= trainer.progress.metrics["test/class_accuracy"] <= 1
        assert trainer.checkpoints.metric is None
        assert "the same for data in place of samples: class_accuracy 0.9" in parts.task.remarks[0]

    def test_a_training_reports_them_and_keeps_the_best(self, configure_here: Any, tmp_path: Path) -> None:
        parts = prepare(
            configure_here(*TINY, "task.metrics=[fd,modes]", "trainer.epochs=2"), train_classifier=train_aside
        )
        trainer = build_trainer(parts, RunFolder(tmp_path))
        assert trainer.checkpoints.metric == "val/fd_lenet"
        assert trainer.checkpoints.direction == "min"
        trainer.fit()
        assert {"val/fd_lenet", "val/modes", "test/fd_lenet"} <= set(trainer.progress.metrics)
        assert "/n=359/ref=test" in parts.task.remarks[0]

    def test_measuring_changes_nothing_in_the_training(self, configure_here: Any, tmp_path: Path) -> None:
        weights = []
        for i, metrics in enumerate(("null", "[fd,nearest]")):
            parts = prepare(
                configure_here(*TINY, f"task.metrics={metrics}", "trainer.epochs=2"), train_classifier=train_aside
            )
            trainer = build_trainer(parts, RunFolder(tmp_path / str(i)))
            trainer.fit()
            weights.append(parts.task.model.state_dict())
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            (["task.metrics=[fdd]"], "task.metrics: fdd is not a metric of samples"),
            (
                ["task.metrics=[class_accuracy]"],
                "class_accuracy is the share of samples of the requested class",
            ),
            (["task.metrics=[fd]", "data=gaussians"], "samples of data=gaussians are not images"),
            (["task.metrics=[fd]", "task.features=nowhere.pth"], "task.features=nowhere.pth: .* does not exist"),
        ],
    )
    def test_what_cannot_be_measured_is_refused(self, configure_here: Any, overrides: list[str], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            prepare(configure_here(*TINY, *overrides), train_classifier=train_aside)


def test_a_split_of_one_sample_has_no_measures(digits: Any) -> None:
    _, dataset, classifier = digits
    evaluator = evaluator_of(dataset, classifier, "fd")
    evaluator.start("test")
    evaluator.see(Batch(torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64), 1))
    assert evaluator.measure(lambda count: (torch.zeros(count, 1, 8, 8), None)) == {}


def test_numbers_of_samples_in_short() -> None:
    assert [in_thousands(count) for count in (999, 5000, 10_000, 5994)] == ["999", "5k", "10k", "5994"]
