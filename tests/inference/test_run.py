"""A run in use: the numbers of its test once more, predictions from every kind of input, honest errors."""

import argparse
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.cli.request import read_config
from dltool.core.errors import CheckpointError, ConfigError, DataError
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder
from dltool.training.train import train

Load = Callable[..., Run]


@pytest.mark.parametrize("name", ["lenet", "averaged", "iris", "binary", "numbers", "hinge", "perceptron", "gan"])
def test_an_evaluation_gives_the_numbers_of_the_runs_own_test(name: str, load: Load) -> None:
    run = load(name)
    measured = run.evaluate()
    own = {key.removeprefix("test/"): value for key, value in run.metrics.items() if key.startswith("test/")}
    if name == "gan":  # Its noise is drawn anew; the data's side is the same.
        assert measured.metrics.keys() == own.keys()
    else:
        assert measured.metrics == own


def test_the_average_is_what_is_used(load: Load) -> None:
    run = load("averaged")
    assert run.averaged
    name = next(iter(run._checkpoint.weights))
    assert run.described_checkpoint.endswith("(last, averaged weights)")
    assert not torch.equal(run.model.state_dict()[name], run._checkpoint.weights[name])


def test_predictions_are_those_of_the_evaluation(load: Load) -> None:
    run = load("iris")
    measured = run.evaluate(predictions=True)
    assert measured.predictions is not None
    assert measured.targets is not None
    right = [said == true for said, true in zip(measured.predictions.values, measured.targets, strict=True)]
    assert sum(right) / len(right) == measured.metrics["accuracy"]
    headings, rows = measured.table()
    assert headings == ["input", "target", "prediction", "p(setosa)", "p(versicolor)", "p(virginica)"]
    assert all(abs(sum(row[3:]) - 1) < 1e-6 for row in rows)
    assert len({row[0] for row in rows}) == len(rows) == measured.num_samples


def test_raw_rows_give_what_the_evaluation_gave(load: Load) -> None:
    from dltool.data.builtin import iris

    run = load("iris")
    measured = run.evaluate(predictions=True)
    assert measured.predictions is not None
    places = [int(name) for name in measured.predictions.names]
    rows = iris(torch.Generator()).train.inputs[places]
    again = run.predict(rows.numpy())
    assert torch.equal(again.outputs, measured.predictions.outputs)
    names = [column.name for column in run.preprocessing.columns]  # type: ignore[union-attr]
    mappings = [dict(zip(names, row, strict=True)) for row in rows.double().tolist()]
    assert torch.allclose(run.predict(mappings).outputs, again.outputs)


def test_all_splits_together_are_the_whole_data(load: Load) -> None:
    run = load("iris")
    sizes = [run.evaluate(split=split).num_samples for split in ("train", "val", "test", "all")]  # type: ignore[arg-type]
    assert sizes[3] == sum(sizes[:3]) == 150


def test_binary_probabilities_are_of_both_classes(load: Load) -> None:
    run = load("binary")
    said = run.evaluate(predictions=True).predictions
    assert said is not None
    assert said.probabilities is not None
    assert torch.allclose(said.probabilities.sum(1), torch.ones(len(said)))
    assert said.indices is not None
    assert torch.equal(said.indices, said.probabilities.argmax(1))


def test_numbers_and_scores_have_no_probabilities(load: Load) -> None:
    said = load("numbers").evaluate(predictions=True).predictions
    assert said is not None
    assert said.probabilities is None
    assert said.indices is None
    assert said.values == said.outputs.squeeze(1).tolist()
    scores = load("hinge").predict([[5.1, 3.5, 1.4, 0.2]])
    assert scores.probabilities is None
    assert scores.top(3) == [[]]
    assert scores.values[0] in ("setosa", "versicolor", "virginica")


def test_a_gan_predicts_nothing(load: Load) -> None:
    with pytest.raises(ConfigError, match="predicts nothing"):
        load("gan").predict([[0.0, 1.0]])


def test_images_of_every_form_are_the_same_image(load: Load, tmp_path: Path) -> None:
    run = load("lenet")
    grey = torch.arange(0, 256, 4, dtype=torch.uint8).view(8, 8)
    image = Image.fromarray(grey.numpy())
    image.save(tmp_path / "1.png")
    image.convert("RGB").save(tmp_path / "2.png")
    (tmp_path / "inner").mkdir()
    image.convert("RGBA").save(tmp_path / "inner" / "图.png")
    (tmp_path / ".hidden.png").write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("no image")
    once = run.predict(grey).outputs
    for same in (grey[None], grey.numpy(), np.stack([grey.numpy()] * 3, 2), image, [image, image], tmp_path / "1.png"):
        assert torch.allclose(run.predict(same).outputs, once, atol=1e-6)
    files = run.predict(tmp_path)
    assert [Path(name).name for name in files.names] == ["1.png", "2.png", "图.png"]
    assert torch.allclose(files.outputs, once.expand(3, -1), atol=1e-6)
    assert torch.allclose(run.predict([str(tmp_path / "1.png")]).outputs, once)


def test_a_damaged_image_is_named(load: Load, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match=r"empty\.png: it is empty, 0 bytes"):
        load("lenet").predict(tmp_path)
    with pytest.raises(DataError, match="has no images"):
        load("lenet").predict(empty_folder(tmp_path))
    with pytest.raises(DataError, match="does not exist"):
        load("lenet").predict(tmp_path / "missing.png")


def empty_folder(parent: Path) -> Path:
    (parent / "nothing").mkdir()
    return parent / "nothing"


def test_no_input_is_said(load: Load) -> None:
    for nothing in ([], torch.empty(0, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(DataError, match="no input"):
            load("lenet").predict(nothing)


def test_rows_of_another_width_are_refused(load: Load) -> None:
    with pytest.raises(DataError, match=r"the shape \(1, 3\), not \(B, 4\)"):
        load("iris").predict([[1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="has no column sepal_length_cm"):
        load("iris").predict([{"sepal": 1}])
    with pytest.raises(DataError, match="are not numbers"):
        load("iris").predict([["a", "b", "c", "d"]])


class Frame:
    """What a data frame of pandas or polars has in common with this."""

    columns = ("petal", "sepal")

    def to_numpy(self) -> np.ndarray:
        return np.zeros((1, 4))

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return self.to_numpy()


def test_a_data_frame_is_not_read_by_position(load: Load) -> None:
    with pytest.raises(DataError, match="a data frame is not read by position") as error:
        load("iris").predict(Frame())  # type: ignore[arg-type]
    assert error.value.hint == "frame.to_dict('records')"


def test_several_looks_are_averaged_as_probabilities(load: Load) -> None:
    run = load("lenet")
    images = (torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    looked = run.predict(images, views=["hflip"])
    plain, mirrored = run.predict(images), run.predict(images.flip(3))
    assert looked.probabilities is not None
    assert plain.probabilities is not None
    assert mirrored.probabilities is not None
    assert torch.allclose(looked.probabilities, (plain.probabilities + mirrored.probabilities) / 2, atol=1e-6)
    assert run.evaluate(views=["shift"]).metrics != run.evaluate().metrics
    with pytest.raises(ConfigError, match="hfilp is not a view"):
        run.predict(images, views=["hfilp"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="test-time augmentation needs images"):
        load("iris").evaluate(views=["hflip"])


def test_other_metrics_and_nothing_else_may_change(load: Load) -> None:
    run = load("lenet")
    measured = run.evaluate(["task.metrics=[f1_macro,top_3_accuracy]"])
    assert set(measured.metrics) == {"loss", "f1_macro", "top_3_accuracy"}
    with pytest.raises(ConfigError, match=r"optim\.lr was 0\.001 in this run"):
        run.evaluate(["optim.lr=1"])
    with pytest.raises(ConfigError, match="rmse: does not fit targets that are classes"):
        run.evaluate(["task.metrics=[rmse]"])
    with pytest.raises(ConfigError, match="takes images"):
        run.evaluate(["data=iris"])


def test_other_images_are_prepared_as_the_runs_own(load: Load, tmp_path: Path) -> None:
    """The digits' test split as files on a disk, in folders of another order, gives the same numbers."""
    from dltool.data.builtin import digits

    run = load("lenet")
    own = run.evaluate(predictions=True)
    assert own.predictions is not None
    assert own.targets is not None
    images = digits(torch.Generator()).train.inputs
    for name, target in zip(own.predictions.names, own.targets, strict=True):
        (tmp_path / target).mkdir(exist_ok=True)
        Image.fromarray(images[int(name), 0].numpy()).save(tmp_path / target / f"{name}.png")
    for residency in ("device", "loader"):
        other = run.evaluate(["data=image_folder", f"data.root={tmp_path}", f"data.residency={residency}"])
        assert other.split == "all"
        assert other.num_samples == own.num_samples
        assert other.metrics["accuracy"] == own.metrics["accuracy"]
        assert other.metrics["loss"] == pytest.approx(own.metrics["loss"], rel=1e-6)


def test_a_folder_with_an_unknown_class_is_refused(load: Load, tmp_path: Path) -> None:
    for name in ("3", "三"):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / name / "1.png")
    with pytest.raises(DataError, match=r"has the class 三, which was not in the training data \(train sample 1\)"):
        load("lenet").evaluate(["data=image_folder", f"data.root={tmp_path}"])


@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("lenet", "data.eval_batch_size=100"),
        ("lenet", "data.residency=host"),
        ("lenet", "data.augment.flip=true"),
        ("iris", "data.batch_size=full"),
        ("iris", "data.scaling=unit"),
        ("binary", "data.sampling=balanced"),
        ("binary", "data.drop_last=true"),
        ("numbers", "data.shuffle=false"),
        ("cyclegan", "data.eval_batch_size=7"),
        ("gpt", "data.batch_size=3"),
        ("tags", "data.batch_size=3"),
        ("reversal", "data.eval_batch_size=7"),
        ("names", "data.group_by_length=false"),
    ],
)
def test_how_data_is_handled_changes_no_split(name: str, override: str, load: Load) -> None:
    run = load(name)
    own, again = run.evaluate(), run.evaluate([override])
    assert (again.split, again.num_samples) == (own.split, own.num_samples)
    if name != "cyclegan":  # Its pairs of images are others in other batches.
        assert again.metrics == pytest.approx(own.metrics, rel=1e-5)
    assert run.evaluate([override], split="all").num_samples == run.evaluate(split="all").num_samples


@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("iris", "data.split_seed=1"),
        ("iris", "data.num_folds=5"),
        ("numbers", "data.test_fraction=0.5"),
        ("gpt", "data.val_fraction=0.5"),
        ("cyclegan", "data.split_seed=1"),
        ("reversal", "data.num_samples=300"),
    ],
)
def test_an_override_that_would_measure_training_samples_is_refused(name: str, override: str, load: Load) -> None:
    key, value = override.split("=")
    message = rf"{key} was .* in this run and decides which samples are held out: with {value}, training samples may be"
    for split in ("auto", "val"):
        with pytest.raises(ConfigError, match=message) as error:
            load(name).evaluate([override], split=split)  # type: ignore[arg-type]
        assert error.value.hint is not None
        assert "--split all" in error.value.hint


def test_other_data_may_be_split_otherwise(load: Load) -> None:
    measured = load("reversal").evaluate(["data.shortest=2", "data.longest=4", "data.num_samples=50"])
    assert (measured.split, measured.num_samples) == ("all", 50)


def test_checkpoints_by_name(load: Load) -> None:
    assert load("lenet", checkpoint="last").checkpoint == "step-000158"
    assert load("lenet", checkpoint="step-000079").checkpoint == "step-000079"
    assert load("lenet", checkpoint="best").checkpoint in ("step-000079", "step-000158")
    with pytest.raises(ConfigError, match="has no checkpoint step-1"):
        _ = load("lenet", checkpoint="step-1").checkpoint
    for name in ("", "..", "."):
        with pytest.raises(ConfigError, match="has no checkpoint"):
            _ = load("lenet", checkpoint=name).checkpoint


def test_a_damaged_checkpoint_is_passed_over_and_said(trained: Callable[[str], Path], tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(trained("lenet"), copy)
    newest = copy / "checkpoints" / "step-000158" / "weights.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"weights\.safetensors is damaged"):
        assert Run(RunFolder(copy)).checkpoint == "step-000079"
    with pytest.raises(CheckpointError, match="is damaged"):
        _ = Run(RunFolder(copy), checkpoint="step-000158").model
    shutil.rmtree(copy / "checkpoints")
    with pytest.raises(ConfigError, match="has no checkpoint yet"):
        _ = Run(RunFolder(copy)).model


def test_using_a_run_changes_nothing_in_it(load: Load, trained: Callable[[str], Path]) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in trained("iris").rglob("*") if path.is_file()}

    (trained("iris") / "checkpoints" / ".tmp-7-1").mkdir(exist_ok=True)  # Another process is writing.
    before = contents()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = load("iris")
        run.evaluate()
        run.predict([[1.0, 2.0, 3.0, 4.0]])
    assert contents() == before
    assert (trained("iris") / "checkpoints" / ".tmp-7-1").is_dir()


def test_standardized_targets_are_predicted_in_their_units(tmp_path: Path) -> None:
    """y = 1000 x + 50000 is learned with mean 0 and deviation 1, and measured, predicted and listed in its units."""
    lines = [f"{i / 10},{1000 * (i / 10) + 50_000}" for i in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *lines]))
    words = ["model=linear", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", "data.kind=numbers"]
    solver = ["task=least_squares", "optim=none", "data.batch_size=full", "trainer.epochs=1"]
    where = [f"run.dir={tmp_path / 'run'}", "logger.plots=false", "trainer.threads=1"]
    request = argparse.Namespace(overrides=[*words, *solver, *where], config_dir=[], source=None)
    train(*read_config(request), quiet=True)
    run = Run(RunFolder(tmp_path / "run"))
    assert run.spec.target_std[0] == pytest.approx(np.std([50_000 + 100 * i for i in range(100)]), rel=0.1)
    assert run.metrics["test/rmse"] < 0.1
    assert run.metrics["test/loss"] < 1e-9
    assert run.predict([[3.0]]).values[0] == pytest.approx(53_000, rel=1e-6)
    measured = run.evaluate(predictions=True)
    assert measured.metrics == {k.removeprefix("test/"): v for k, v in run.metrics.items() if k.startswith("test/")}
    assert measured.targets is not None
    assert min(measured.targets) >= 50_000


def trained_on(table: str, folder: Path, *words: str) -> Run:
    """A run on a table that is written to t.csv."""
    (folder / "t.csv").write_text(table)
    where = ["data=csv", f"data.path={folder / 't.csv'}", "data.target=y", f"run.dir={folder / 'run'}"]
    here = ["logger.plots=false", "trainer.threads=1", "trainer.device=cpu"]
    request = argparse.Namespace(overrides=[*where, *here, *words], config_dir=[], source=None)
    train(*read_config(request), quiet=True)
    return Run(RunFolder(folder / "run"))


def test_large_numbers_are_learned_measured_and_predicted(tmp_path: Path) -> None:
    """y = 1.7e9 + 3a - 2b, where float32's numbers are 128 apart and y has a deviation of 3.6."""
    rng = np.random.default_rng(0)
    rows = [(a, b, 1.7e9 + 3 * a - 2 * b) for a, b in rng.standard_normal((200, 2)).tolist()]
    table = "a,b,y\n" + "".join(f"{a!r},{b!r},{y!r}\n" for a, b, y in rows)
    solver = ["model=linear", "task=least_squares", "optim=none", "data.batch_size=full", "trainer.epochs=1"]
    run = trained_on(table, tmp_path, *solver, "task.metrics=[rmse,mae,r2]")
    assert run.metrics["test/rmse"] < 1e-6
    assert run.metrics["test/mae"] < 1e-6
    assert run.metrics["test/r2"] == pytest.approx(1, abs=1e-12)
    measured = run.evaluate(predictions=True)
    assert measured.predictions is not None
    assert measured.targets is not None
    places = [int(name) - 2 for name in measured.predictions.names]
    assert measured.targets == pytest.approx([rows[place][2] for place in places], abs=1e-6, rel=0)
    file = run.predict(tmp_path / "t.csv")
    assert [file.values[place] for place in places] == measured.predictions.values
    assert file.values == pytest.approx([y for *_, y in rows], abs=1e-6, rel=0)
    assert run.predict([row[:2] for row in rows]).values == file.values
    assert run.predict([{"a": a, "b": b} for a, b, _ in rows]).values == file.values


def test_labels_are_predicted_as_they_are_written(tmp_path: Path) -> None:
    """The class follows from x, so that a label which stands for two classes could not be predicted."""
    labels = ["01", "1", "001", "02"]
    table = "x,y\n" + "".join(f"{i % 4},{labels[i % 4]}\n" for i in range(200))
    run = trained_on(table, tmp_path, "model=mlp", "data.kind=classes", "optim.lr=0.03", "trainer.epochs=30")
    assert run.class_names == ("001", "01", "1", "02")
    assert run.evaluate().metrics["accuracy"] == 1
    assert run.predict([[0], [1], [2], [3]]).values == labels
    (tmp_path / "new.csv").write_text("x,y\n0,01\n3,02\n1,1\n")
    measured = run.evaluate([f"data.path={tmp_path / 'new.csv'}"], predictions=True)
    assert measured.targets == ["01", "02", "1"]
    assert measured.metrics["accuracy"] == 1
