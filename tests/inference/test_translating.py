"""Pictures translated by a run, from Python and from the command line."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.core.errors import ConfigError
from dltool.inference.classifying import classifier_of
from dltool.inference.run import Run
from dltool.inference.translating import Translations, file_names

Dltool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number, size in enumerate([(32, 32), (20, 50)]):
        pixels = np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8)
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "in" / f"photo {number}.png")
    return tmp_path / "in"


@pytest.mark.parametrize("direction", ["A2B", "B2A"])
def test_is_what_the_generator_of_the_direction_makes(
    load: Callable[..., Run], pictures: Path, direction: str, dltool_here: Dltool
) -> None:
    run = load("cyclegan")
    made = run.translate(pictures, direction)  # type: ignore[arg-type]
    image = torch.from_numpy(np.asarray(Image.open(pictures / "photo 0.png")).copy())[None, None]
    with torch.no_grad():
        expected = run.model.generators[direction](image / 127.5 - 1)[0]  # type: ignore[index, operator]
    torch.testing.assert_close(made.images[0].float(), (expected + 1) * 127.5, atol=0.51, rtol=0)
    done = dltool_here(
        "predict", str(run.path), "--input", str(pictures), "--direction", direction, "trainer.threads=1"
    )
    assert done.returncode == 0, done.stderr
    folder = run.path / "translated" / direction
    assert done.stdout.strip() == f"2 translated to {folder}"
    assert sorted(path.name for path in folder.iterdir()) == ["photo 0.png", "photo 1.png"]
    assert torch.equal(torch.from_numpy(np.asarray(Image.open(folder / "photo 1.png")).copy()), made.images[1, 0])


def test_one_file_to_a_folder(load: Callable[..., Run], pictures: Path, dltool_here: Dltool, tmp_path: Path) -> None:
    words = ["predict", str(load("cyclegan").path), "--input", str(pictures / "photo 0.png"), "--direction", "A2B"]
    done = dltool_here(*words, "--output", "out", "--json")
    known = json.loads(done.stdout)
    assert known["direction"] == "A2B"
    assert [Path(entry["output"]) for entry in known["translated"]] == [Path("out/photo 0.png")]
    assert Image.open(tmp_path / "out" / "photo 0.png").size == (32, 32)
    before = (pictures / "photo 0.png").read_bytes()
    for folder in ("out", str(pictures)):  # What is there stays there, the inputs above all.
        refused = dltool_here(*words, "--output", folder)
        assert refused.returncode == 2
        assert "photo 0.png exists and would be overwritten" in refused.stderr
    assert (pictures / "photo 0.png").read_bytes() == before


def test_what_does_not_fit(load: Callable[..., Run], pictures: Path, dltool_here: Dltool) -> None:
    cyclegan, lenet = str(load("cyclegan").path), str(load("lenet").path)
    file = str(pictures / "photo 0.png")
    for words, message, hint in (
        ([cyclegan, "--input", file], "translates in both directions", "--direction A2B, or --direction B2A"),
        ([lenet, "--input", file, "--direction", "A2B"], "lenet on digits translates no images", "model=cyclegan"),
        ([lenet, "--input", file, "--output", "out"], "generates no images", "without --output"),
        ([cyclegan, "--text", "a", "--direction", "A2B"], "translates images", "--input FILE"),
        ([cyclegan, "--input", file, "--direction", "A2B", "--csv"], "writes images", "without --csv"),
        ([cyclegan, "--input", "nowhere.png", "--direction", "A2B"], "does not exist", "the folder has"),
    ):
        done = dltool_here("predict", *words)
        assert done.returncode == 2, words
        assert message in done.stderr
        assert hint in done.stderr
    with pytest.raises(ConfigError, match="direction 'AB'"):
        load("cyclegan").translate(file, "AB")  # type: ignore[arg-type]


def test_names_of_files() -> None:
    assert file_names(["a/x.jpg", "b/x.png", "b/y.webp", "0"]) == ["x.png", "x-2.png", "y.png", "0.png"]


def test_colours_are_written_as_they_are(tmp_path: Path) -> None:
    image = torch.tensor([[[10]], [[20]], [[30]]], dtype=torch.uint8)
    (path,) = Translations(["0"], image[None], "A2B").write(tmp_path / "new")
    assert Image.open(path).getpixel((0, 0)) == (10, 20, 30)


def test_a_classifier_measures_translations(load: Callable[..., Run], dltool_here: Dltool) -> None:
    run, classifier = load("cyclegan"), load("styles")
    done = dltool_here("evaluate", str(run.path), "--classifier", str(classifier.path), "--split", "val", "--json")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["class_kept"] == pytest.approx((metrics["class_kept_A2B"] + metrics["class_kept_B2A"]) / 2)
    assert metrics["classifier_accuracy_A"] > 0.7
    assert "class_kept" not in run.evaluate(split="val").metrics


def test_a_classifier_that_does_not_fit(load: Callable[..., Run]) -> None:
    with pytest.raises(ConfigError, match=r"mlp on iris\) does not predict the classes 0, 1, 2, "):
        load("cyclegan").evaluate(classifier=load("iris"))
    with pytest.raises(ConfigError, match="translates no images, so --classifier does not apply"):
        load("lenet").evaluate(classifier=load("styles"))


def test_a_classifier_sees_pixels_of_0_to_1(load: Callable[..., Run]) -> None:
    run = load("styles")
    images = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        said, expected = classifier_of(run)(images / 255), run.model(run.preprocessing(images))
    assert torch.equal(said, expected)


def test_pictures_of_held_out_images_are_drawn(load: Callable[..., Run]) -> None:
    (path,) = (load("cyclegan").path / "samples").iterdir()
    assert path.name == "step-000003.png"
    image = np.asarray(Image.open(path))
    rows, columns = 6, 8  # A there and back, then B.
    assert image.shape[0] / image.shape[1] == pytest.approx(rows / columns, abs=0.02)
