"""`dltool sample` as it is typed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from places import NUMBERS_ONLY
from synthetic_texts import write_every_text

from dltool.inference import sampling

Dltool = Callable[..., subprocess.CompletedProcess[str]]
TINY = ["model=gpt", "model.dim=16", "model.depth=1", "model.num_heads=2", "trainer.steps=3", "trainer.test=last"]


@pytest.fixture
def gpt(trained_here: Callable[..., Path], tmp_path: Path) -> Path:
    write_every_text(tmp_path)
    words = ["data=text", "data.path=text.txt", "data.length=16", *NUMBERS_ONLY, "--quiet"]
    trained_here("outputs/g", *TINY, *words)
    return tmp_path


def test_texts_as_they_are_typed(dltool_here: Dltool, gpt: Path) -> None:
    done = dltool_here("sample", "g", "--prompt", "gold", "--length", "20")
    assert done.returncode == 0
    assert done.stdout.startswith("gold")
    assert len(done.stdout) == 25  # With the end of the line.
    assert done.stderr == "gpt on text, step-000003 (last)\n"
    (gpt / "begin.txt").write_text("gold")
    same = dltool_here("sample", "g", "--prompt-file", "begin.txt", "--length", "20", "--json")
    assert json.loads(same.stdout)["samples"] == [done.stdout[:-1]]
    several = dltool_here("sample", "g", "--prompt", "gold", "--length", "20", "--count", "2").stdout
    assert several.startswith(f"---------- 1 of 2\n{done.stdout}---------- 2 of 2\ngold")


def test_names_one_a_line(dltool_here: Dltool, gpt: Path) -> None:
    words = ["data=names", "data.path=names.txt", *NUMBERS_ONLY, "run.dir=outputs/n", "--quiet"]
    assert dltool_here("train", *TINY, *words).returncode == 0
    assert len(dltool_here("sample", "n", "--count", "7").stdout.splitlines()) == 7


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--prompt", "gold日"], "not in the training data: '日'", "--unknown=skip"),
        (["--temperature", "-1"], "temperature=-1: a number >= 0", "greedy"),
        (["--top-k", "0"], "top_k=0: an integer > 0 or null is needed", "the k likeliest"),
        (["--top-p", "much"], "top_p=much: a number in (0, 1] is needed", "1 is all tokens"),
        (["--truncation", "1"], "gpt on text has no sampling option truncation, an option of task=stylegan2", ""),
        (["--count", "0"], "--count 0", "--count 1"),
        (["--output", "x.png"], "--output is for images", "> FILE"),
        (["--prompt-file", "nowhere.txt"], "nowhere.txt cannot be read", ""),
        (["trainer.epochs=3"], "trainer.epochs was", "train --from"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], message: str, hint: str, dltool_here: Dltool, gpt: Path) -> None:
    done = dltool_here("sample", "g", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr


def test_a_classifier_makes_nothing(dltool_here: Dltool, tmp_path: Path) -> None:
    words = ["model=mlp", "data=iris", "trainer.epochs=1", "run.dir=outputs/i", "--quiet", *NUMBERS_ONLY]
    assert dltool_here("train", *words).returncode == 0
    done = dltool_here("sample", "i")
    assert done.returncode == 2
    assert "makes no samples" in done.stderr
    assert "dltool predict outputs/i --input FILE" in done.stderr


def test_a_gan_draws(dltool_here: Dltool, tmp_path: Path) -> None:
    words = ["model=gan", "data=gaussians", "trainer.steps=2", "run.dir=outputs/gan", "--quiet", *NUMBERS_ONLY]
    assert dltool_here("train", *words).returncode == 0
    assert dltool_here("sample", "gan").returncode == 0
    assert (tmp_path / "outputs/gan/samples/step-000002.png").exists()
    refused = dltool_here("sample", "gan", "--prompt", "a")
    assert refused.returncode == 2
    assert "--prompt does not apply" in refused.stderr


def test_ctrl_c_ends_a_text_cleanly(dltool_here: Dltool, gpt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: sampling.Written, token: int) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sampling.Written, "add", interrupted)
    done = dltool_here("sample", "g", "--prompt", "gold")
    assert done.returncode == 130
    assert done.stdout == "gold"
    assert done.stderr.endswith("\ninterrupted\n")
