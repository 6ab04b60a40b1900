"""A trace of a run continues its training: the update is the one that `dltool resume` takes next."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from places import NUMBERS_ONLY

from dltool.engine.named_checkpoints import open_checkpoint

Dltool = Callable[..., CompletedProcess[str]]
ONE_SAMPLE = ("model=mlp", "model.hidden=[3]", "data=example", *NUMBERS_ONLY, "trainer.epochs=null")


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run_of(dltool_here: Dltool, *words: str) -> Path:
    done = dltool_here("train", *words, "run.dir=run")
    assert done.returncode == 0, done.stderr
    return Path("run")


def trace_of(dltool_here: Dltool, *words: str) -> list[dict]:
    done = dltool_here("trace", "--run", "run", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ("optim=sgd", "optim.lr=0.5"),
        ("optim=momentum", "optim.lr=0.1", "schedule=cosine"),
        ("optim=adam", "optim.lr=0.01", "schedule=linear", "trainer.clip_norm=0.1"),
        ("optim=rmsprop", "optim.lr=0.01", "trainer.average.kind=ema"),
        ("optim=muon",),
    ],
)
def test_its_steps_are_those_of_resume(words: tuple[str, ...], dltool_here: Dltool) -> None:
    run = run_of(dltool_here, *ONE_SAMPLE, *words, "trainer.steps=5")
    before = files_of(run)
    steps = trace_of(dltool_here, "--steps", "2")
    assert files_of(run) == before
    assert [step["step"] for step in steps] == [5, 6]
    done = dltool_here("resume", "run", "trainer.steps=7")
    assert done.returncode == 0, done.stderr
    weights = open_checkpoint(run / "checkpoints", "last", print).weights
    for parameter in steps[1]["parameters"]:
        expected = weights[parameter["name"]].double()
        torch.testing.assert_close(torch.tensor(parameter["after"]).double(), expected, rtol=1e-5, atol=1e-6)


def test_an_unfinished_schedule_goes_on(dltool_here: Dltool) -> None:
    words = ("optim=sgd", "optim.lr=0.5", "schedule=cosine", "trainer.steps=6", "trainer.checkpoint.every_n_steps=2")
    run_of(dltool_here, *ONE_SAMPLE, *words, "trainer.checkpoint.keep_last=9")
    whole = dltool_here("trace", *ONE_SAMPLE, *words, "--steps", "6", "--json")
    rates = [step["rate"] for step in json.loads(whole.stdout)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    steps = trace_of(dltool_here, "--checkpoint", "step-000002", "--steps", "2")
    assert [step["rate"] for step in steps] == pytest.approx(rates[2:4])


def test_the_statistics_and_the_samples_are_the_runs(dltool_here: Dltool) -> None:
    run_of(dltool_here, "model=mlp", "data=iris", "data.fold=1", "data.num_folds=4", "trainer.steps=2", *ONE_SAMPLE[3:])
    (step,) = trace_of(dltool_here, "--sample", "7")
    fitted = json.loads(Path("run/preprocessing.json").read_text(encoding="utf-8"))
    assert "mean" in json.dumps(fitted)
    done = dltool_here("trace", "--from", "run", "--sample", "7", "--json")
    (fresh,) = json.loads(done.stdout)
    assert step["inputs"] == fresh["inputs"]
    assert step["loss"] != fresh["loss"]


def test_dropout_and_an_lstm(dltool_here: Dltool) -> None:
    words = ("model=lstm", "data=digits_rows", "model.hidden_dim=4", "trainer.steps=2", *ONE_SAMPLE[3:])
    run_of(dltool_here, *words)
    (step,) = trace_of(dltool_here)
    (formula,) = [one for one in step["formulas"] if one["what"] == "recurrent"]
    assert formula["error"] < 1e-12


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--run", "nope"), "there is no run nope", "dltool runs"),
        (("--run", "run", "model.hidden=[4]"), "model.hidden was [3] in this run and cannot become [4]", "--from run"),
        (("--run", "run", "model=linear"), "model.name was mlp in this run", "--from run"),
        (("--run", "run", "optim.lr=1"), "optim.lr was", "--from run"),
        (("--run", "run", "--from", "run"), "--run traces the trained network", "name one"),
        (("--run", "run", "--checkpoint", "step-9"), "has no checkpoint step-9", "--checkpoint step-000002"),
        (("--run", "run", "--sample", "5"), "the training data has 1 sample", "--sample 0"),
        (("model=mlp", "data=iris", "--checkpoint", "best"), "--checkpoint belongs to", "--run RUN"),
        (("model=mlp", "data=iris", "optim=lbfgs"), "optim=lbfgs evaluates the loss several times", "optim=adam"),
    ],
)
def test_errors(words: tuple[str, ...], message: str, hint: str, dltool_here: Dltool) -> None:
    run_of(dltool_here, *ONE_SAMPLE, "trainer.steps=2")
    done = dltool_here("trace", *words)
    assert done.returncode == 2
    error, advice = done.stderr.splitlines()
    assert message in error
    assert hint in advice


def test_a_run_that_stopped_before_its_first_checkpoint(dltool_here: Dltool) -> None:
    run = run_of(dltool_here, *ONE_SAMPLE, "trainer.steps=2")
    for path in (run / "checkpoints").glob("step-*"):
        path.rename(run / path.name)
    done = dltool_here("trace", "--run", "run")
    assert done.returncode == 2
    assert "has no checkpoint yet" in done.stderr


@pytest.mark.parametrize("optim", ["adagrad", "momentum", "adadelta"])
def test_optimizers_whatever_state_they_begin_with(optim: str, dltool_here: Dltool) -> None:
    """AdaGrad has a sum of squares before its first step, which must be float64 too."""
    words = ("model=mlp", "model.hidden=[2]", "data=example", "trainer.threads=1", "optim.lr=0.5", "schedule=constant")
    done = dltool_here("trace", *words, f"optim={optim}", "--steps", "2", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert second["loss"] == first["loss_after"]
