"""`dltool plot --figure curves` draws what `dltool runs plot` does."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

Dltool = Callable[..., CompletedProcess[str]]


@pytest.fixture
def runs(trained_here: Callable[..., Path]) -> list[str]:
    names = ["outputs/first", "outputs/second"]
    for seed, name in enumerate(names):
        words = ("model=mlp", "data=iris", "trainer.threads=1", "trainer.epochs=2", "logger.plots=false")
        trained_here(name, *words, f"seed={seed}")
    return names


def test_the_figure_is_that_of_runs_plot(dltool_here: Dltool, runs: list[str]) -> None:
    options = ("--metric", "val/loss", "--x", "step", "--group")
    done = dltool_here("plot", *runs, "--figure", "curves", *options, "--output", "figures")
    assert (done.returncode, done.stdout) == (0, "figures/compared_curves.png\n"), done.stderr
    assert dltool_here("runs", "plot", *runs, *options, "--output", "alias.png").returncode == 0
    assert Image.open("figures/compared_curves.png").tobytes() == Image.open("alias.png").tobytes()


def test_one_run_has_it_in_its_own_folder(dltool_here: Dltool, runs: list[str]) -> None:
    done = dltool_here("plot", runs[0], "--figure", "curves")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).resolve() == Path("outputs/first/plots/compared_curves.png").resolve()
    assert "curves" in dltool_here("plot", runs[0], "--figure", "list").stdout


def test_what_does_not_fit(dltool_here: Dltool, runs: list[str]) -> None:
    done = dltool_here("plot", *runs, "--figure", "boundary", "--metric", "val/loss")
    assert done.returncode == 2
    assert "hint: --figure curves" in done.stderr
    done = dltool_here("plot", *runs, "--figure", "curves", "--metric", "val/los")
    assert (done.returncode, "did you mean --metric val/loss?" in done.stderr) == (2, True)
