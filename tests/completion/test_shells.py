"""The scripts, each in its own shell."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fabricated import make_run
from terminal import Terminal

from dltool.cli.main import main
from dltool.completion.answer import Answer, Candidate
from dltool.completion.shells import SHELLS, render, request_words

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the program, a file and a run in it."""
    path = tmp_path_factory.mktemp("shell")
    (path / "bin").mkdir()
    program = path / "bin" / "dltool"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m dltool.cli.main "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    (path / "own table.csv").touch()
    make_run(path / "outputs" / "2026-01-02" / "12-30-00_lenet_digits", {})
    return path


@pytest.fixture(scope="module", params=["bash", "zsh"])
def terminal(request: pytest.FixtureRequest, folder: Path) -> Iterator[Terminal]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    terminal = Terminal(request.param, folder)
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("dltool trai", "dltool train "),
        ("dltool train model=perc", "dltool train model=perceptron "),
        ("dltool train optim.bet", "dltool train optim.betas="),
        ("dltool train trainer.chec", "dltool train trainer.checkpoint."),
        ("dltool train -m model=mlp,perc", "dltool train -m model=mlp,perceptron "),
        ('dltool train "model=perc', 'dltool train "model=perceptron" '),
        ("dltool train data=csv data.path=ow", "dltool train data=csv data.path=own\\ table.csv "),
        ("dltool train --config-dir b", "dltool train --config-dir bin/"),
        ("dltool resume outp", "dltool resume outputs/2026-01-02/12-30-00_lenet_digits "),
        ("dltool frob ", "dltool frob "),
    ],
)
def test_the_tab_key(terminal: Terminal, line: str, after: str) -> None:
    assert terminal.tab(line) == after


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish(folder: Path) -> None:
    lines = ["dltool trai", "dltool train model=perc", "dltool train data=csv data.path=ow", "dltool train --conf"]
    script = "dltool completion fish | source; " + "; ".join(f"complete -C '{line}'" for line in lines)
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    words = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert words == ["train", "model=perceptron", "data.path=own table.csv", "--config-dir"]
    assert "\tRosenblatt" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"__complete {shell}" in capsys.readouterr().out


def test_bash_replaces_what_comes_after_a_break_outside_quotes() -> None:
    answer = Answer([Candidate("a b")], prefix="k=x,")
    for line, candidate in [("dltool k=x,", r"x,a\ b"), ("dltool 'k=x,", "k=x,a b")]:
        word = request_words("bash", [line, " =:"])[-1]
        assert render("bash", word, answer).splitlines()[2] == candidate
