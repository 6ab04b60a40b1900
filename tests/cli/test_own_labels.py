"""Several labels per sample and numbers of images, from the shell to predictions and an exported file."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

QUIET = ["trainer.threads=1", "trainer.device=cpu", "logger.plots=false"]


@pytest.fixture
def weather(tmp_path):
    draw = random.Random(1)
    rows = [(x := draw.gauss(0, 1), y := draw.gauss(0, 1), int(x > 0.5), ("no", "yes")[y < 0]) for _ in range(200)]
    with (tmp_path / "weather.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("humidity", "pressure", "rain", "wind"), *rows])
    return tmp_path / "weather.csv"


def test_labels_of_a_table(dltool_here, weather):
    done = dltool_here(
        "train",
        "model=logistic",
        "data=csv",
        f"data.path={weather}",
        "data.target=[rain,wind]",
        "loss=binary_cross_entropy",
        "loss.pos_weight=balanced",
        "optim=sgd",
        "optim.lr=1",
        "trainer.steps=200",
        "run.dir=outputs/r",
        *QUIET,
    )
    assert done.returncode == 0, done.stderr
    assert "target rain, wind: 2 labels, rain (" in done.stderr
    assert "loss       pos_weight=[" in done.stderr
    environment = json.loads(Path("outputs/r/environment.json").read_text(encoding="utf-8"))
    saved = json.loads(Path("outputs/r/preprocessing.json").read_text(encoding="utf-8"))["spec"]
    expected = [(saved["train_size"] - count) / count for count in saved["class_counts"]]
    assert environment["auto"]["loss.pos_weight"] == expected

    measured = dltool_here("evaluate", "outputs/r", "--json", "--predictions", "p.csv")
    metrics = json.loads(measured.stdout)["metrics"]
    assert list(metrics) == ["loss", "f1_micro", "f1_macro", "exact_match", "label_accuracy"]
    assert metrics["f1_macro"] > 0.9
    rows = list(csv.DictReader(Path("p.csv").read_text(encoding="utf-8").splitlines()))
    exact = np.mean([row["target"] == row["prediction"] for row in rows])
    assert exact == pytest.approx(metrics["exact_match"])
    for row in rows:
        likely = [name for name in ("rain", "wind") if float(row[f"p({name})"]) > 0.5]
        assert row["prediction"] == ";".join(likely)

    said = dltool_here("predict", "outputs/r", "--input", str(weather))
    assert "labels (probability above 0.5)" in said.stdout
    found = json.loads(dltool_here("predict", "outputs/r", "--input", str(weather), "--json").stdout)["predictions"]
    assert len(found) == 200
    assert {label for one in found for label in one["prediction"]} == {"rain", "wind"}
    exported = dltool_here("export", "outputs/r", "--format", "torch", "--probabilities")
    assert "the probability of each label, in the order of class_names; above 0.5 it is predicted" in exported.stdout
    assert dltool_here("resume", "outputs/r", "trainer.steps=210").returncode == 0


def test_numbers_of_images(dltool_here, tmp_path):
    draw, rows = np.random.default_rng(0), [("file", "age")]
    (tmp_path / "faces").mkdir()
    for i in range(60):
        level = int(draw.integers(0, 256))
        Image.fromarray(np.full((8, 8, 3), level, dtype=np.uint8)).save(tmp_path / "faces" / f"{i}.png")
        rows.append((f"{i}.png", 20 + level / 4))
    with (tmp_path / "ages.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
    data = ["data=image_folder", "data.root=faces", "data.labels=ages.csv"]
    done = dltool_here("train", "model=mlp", *data, "trainer.steps=150", "run.dir=outputs/r", *QUIET)
    assert done.returncode == 0, done.stderr
    assert "target age: numbers from " in done.stderr
    found = json.loads(dltool_here("predict", "outputs/r", "--input", "faces", "--json").stdout)["predictions"]
    ages = dict(rows[1:])
    errors = [abs(one["prediction"] - ages[Path(one["input"]).name]) for one in found]
    assert np.mean(errors) < 4
    assert dltool_here("evaluate", "outputs/r", "--json").returncode == 0
