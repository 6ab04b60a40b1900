"""The features of a classifier are the inputs of its last layer on held-out samples."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import torch
from places import NUMBERS_ONLY

from dltool.figures.style import class_style
from dltool.plotting.features import features_of, held_out, panel
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]
SHORT = ("trainer.epochs=null", "trainer.steps=3", *NUMBERS_ONLY, "diagnostics=default", "run.dir=run")


def test_features_and_their_components(dltool_here: Dltool) -> None:
    done = dltool_here("train", "model=lenet", "data=digits", *SHORT)
    assert done.returncode == 0, done.stderr
    subject = loaded(Path("run").resolve())
    split, batch = held_out(subject)
    assert split == "test"
    found = features_of(subject.task.model, batch.inputs)
    assert found is not None
    name, features = found
    last = subject.task.model.get_submodule(name)
    with torch.no_grad():
        torch.testing.assert_close(last(features), subject.predict(batch.inputs).outputs, rtol=0, atol=1e-5)
    drawn = panel(features, name)
    centred = features.double().numpy() - features.double().numpy().mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(drawn.places), np.abs(centred @ axes[:2].T), atol=1e-6)
    np.testing.assert_allclose(drawn.shares, (lengths**2)[:2] / (lengths**2).sum(), atol=1e-6)
    drawing = dltool_here("plot", "run", "--figure", "features")
    assert drawing.returncode == 0, drawing.stderr
    assert Path("run/plots/features.png").stat().st_size > 10_000


def test_a_text_classifier_has_only_features(dltool_here: Dltool) -> None:
    Path("texts.csv").write_text("text,label\n" + "good film,yes\nbad film,no\n" * 20)
    data = ("data=text_csv", "data.path=texts.csv", "data.text=text", "data.target=label")
    done = dltool_here("train", "model=lstm", "model.hidden_dim=4", *data, *SHORT)
    assert done.returncode == 0, done.stderr
    drawing = dltool_here("plot", "run", "--figure", "features")
    assert drawing.returncode == 0, drawing.stderr


def test_models_without_a_hidden_layer_have_none(dltool_here: Dltool) -> None:
    done = dltool_here("train", "model=logistic", "data=moons", *SHORT)
    assert done.returncode == 0, done.stderr
    assert "no hidden layer" in dltool_here("plot", "run", "--figure", "list").stdout


def test_classes_have_different_styles() -> None:
    assert len({class_style(label) for label in range(80)}) == 80
    assert len({class_style(label)[1] for label in range(10)}) == 10
