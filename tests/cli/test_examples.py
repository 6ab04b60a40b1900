"""The examples of `dltool init --example` do what they say, run as a user runs them."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.core.package import EXAMPLES
from dltool.declarations.examples import docstring, example_command, examples
from dltool.declarations.registration import EXAMPLES as GROUPS

Dltool = Callable[..., subprocess.CompletedProcess[str]]
FEW = ["trainer.steps=2", "trainer.limit_batches=2", "trainer.threads=1", "logger.plots=false", "logger.samples=false"]
# Example to what its run must report, and to a command that uses the run.
REPORTS = {
    "attack": ("test/attacked_accuracy", "evaluate attack.eps=0.3"),
    "augmentation": ("test/accuracy", "evaluate"),
    "language_model": ("val/perplexity", "sample --prompt 'The ' --length 5"),
    "observer": ("test/accuracy", "evaluate"),
    "output_metric": ("test/brier", "evaluate 'task.metrics=[brier]'"),
    "sample_metric": ("test/roughness", "evaluate 'task.metrics=[roughness]'"),
    "texts": ("test/accuracy", "predict --text 'Return the cosine of x.'"),
    "translator": ("test/exact_match", "predict --text 205 --beam 3"),
    "two_optimizers": ("test/small_accuracy", "evaluate"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_an_example_trains_and_its_run_is_used(name: str, dltool: Dltool, tmp_path: Path) -> None:
    made = dltool("init", "--example", name)
    assert made.returncode == 0, made.stderr
    file, now = made.stdout.splitlines()
    assert file == f"{name}.py"
    command = now.removeprefix("now").strip()
    assert command == example_command(name)
    assert (tmp_path / file).read_bytes() == (EXAMPLES / file).read_bytes()
    trained = dltool(*shlex.split(command)[1:], *FEW, "run.dir=outputs/run", "--quiet")
    assert trained.returncode == 0, trained.stderr
    status = json.loads((tmp_path / "outputs/run/status.json").read_text())
    metric, use = REPORTS[name]
    assert metric in status["metrics"]
    verb, *words = shlex.split(use)
    used = dltool(verb, "--trust", file, "outputs/run", *words)
    assert used.returncode == 0, used.stderr
    assert used.stdout


def test_every_example_is_tried_and_readable() -> None:
    assert set(examples()) == set(REPORTS)
    for path in sorted(EXAMPLES.glob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 90, path
        assert f"--trust {path.name} " in example_command(path.stem)
        assert len(re.findall(r"^    dltool ", docstring(path), re.MULTILINE)) >= 1
    registered = set(re.findall(r'@register\("(\w+)"', "".join(path.read_text() for path in EXAMPLES.glob("*.py"))))
    assert set(GROUPS) - registered == {
        "loss",
        "optim",
        "schedule",
    }  # dltool/losses and optim show them.


def test_the_names_are_listed(dltool_here: Dltool) -> None:
    listed = dltool_here("init", "--example", "list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(examples())
    wrong = dltool_here("init", "--example", "atack")
    assert wrong.returncode == 2
    assert "error: --example atack: there is no such example" in wrong.stderr
    assert "hint: did you mean attack?" in wrong.stderr
    assert ", ".join(examples()) in wrong.stderr
    assert not list(Path().iterdir())


def test_nothing_is_overwritten(dltool_here: Dltool, tmp_path: Path) -> None:
    Path("attack.py").write_text("mine")
    refused = dltool_here("init", "--example", "attack")
    assert refused.returncode == 2
    assert f"{tmp_path}/attack.py exists, and nothing is overwritten" in refused.stderr
    assert "hint: dltool init --example attack examples" in refused.stderr
    assert Path("attack.py").read_text() == "mine"
    beside = dltool_here("init", "--example", "attack", "the examples")
    assert beside.returncode == 0
    assert "cd 'the examples' && dltool train --trust attack.py" in beside.stdout
    assert dltool_here("init", "--example", "texts", "the examples").returncode == 0
    assert "is a file" in dltool_here("init", "--example", "texts", "attack.py").stderr


def test_metrics_are_listed(dltool_here: Dltool) -> None:
    dltool_here("init", "--example", "sample_metric")
    listed = dltool_here("list", "metric", "--trust", "sample_metric.py").stdout
    assert "  accuracy " in listed
    assert re.search(r"^  roughness .*\(trusted: .*sample_metric.py\)$", listed, re.MULTILINE)
    assert "roughness" not in dltool_here("list", "metric").stdout
