"""The examples that `--help` of each command shows are executed, command by command: `pytest -m manual`."""

import shlex
import time
from itertools import groupby
from pathlib import Path

import pytest
from fabricated import make_run
from help_examples import DAY, RUN, Workplace, lines_of_help
from warm_process import run_dltool

pytestmark = pytest.mark.manual

EXAMPLES = {place: [line for _, line in lines] for place, lines in groupby(lines_of_help(), key=lambda one: one[0])}

NOT_RUN = {
    "dltool check experiment=gan_gaussians trainer.device=cuda": "needs a GPU",
    "dltool runs compare outputs/2026-01-31/12-00-00_sweep --group optim --metric test/accuracy": "needs a sweep",
    "dltool report outputs/sweeps/2026-01-31_12-00-00": "needs a sweep",
    "dltool plot outputs/sweeps/2026-01-31_12-00-00 --figure surface": "needs a sweep",
    "dltool report --live --open": "serves until Ctrl-C; tests/report/test_live.py starts and ends it",
}
SHORT = ("trainer.steps=2", "logger.plots=false")
# By the beginning of a line: what makes it short, or answers its question.
MORE_WORDS = {
    "dltool resume outputs/2026-01-31/12-00-00_lenet_digits trainer.epochs=40": (),
    "dltool resume": ("trainer.epochs=2",),  # The run is finished, not interrupted.
    "dltool evaluate 12-00-00_lenet_digits attack=pgd": ("attack.steps=2",),
    "dltool train": SHORT,
    "dltool tune": (*SHORT, "tune.trials=2"),
    "dltool reproduce": SHORT,
    "dltool bench": ("--rounds", "1", "--seconds", "0.2"),
    "dltool runs rm": ("--yes",),
}
EXIT_CODES = {"dltool reproduce": 1}  # Two steps give another result than the record.
RUNS = ("12-00-00_lenet_digits", "12-05-00_lenet_digits", "12-05-00_mlp_digits")  # For examples that select runs.
LIMIT_SECONDS = 120  # For one command.


def of_line(line: str, table: dict, default: object) -> object:
    return next((value for beginning, value in table.items() if line.startswith(beginning)), default)


@pytest.mark.parametrize("place", EXAMPLES)
def test_the_examples_of(place: str, tmp_path: Path) -> None:
    workplace = Workplace(tmp_path)
    make_run(tmp_path / DAY / "13-00-00_mlp_iris", curve=[1.0], state="failed")
    for line in EXAMPLES[place]:
        if line in NOT_RUN:
            continue
        started = time.monotonic()
        line = line.replace("FOLDER", str(workplace.images)).replace("RUN RUN", " ".join(RUNS[:2]))
        selects = line.startswith("dltool runs")
        workplace.train(found for name in (line, *RUNS * selects) for found in RUN.finditer(name))
        done = run_dltool(*words_of(line), cwd=tmp_path, timeout=LIMIT_SECONDS)
        expected = of_line(line, EXIT_CODES, 0)
        assert done.returncode == expected, f"{place}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        print(f"{time.monotonic() - started:6.1f} s  {place}  {line}")


def words_of(line: str) -> list[str]:
    """The words after `dltool`, up to a pipe, with those that make the command short."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    words = list(lexer)
    end = min((words.index(word) for word in "|>" if word in words), default=len(words))
    return [*words[1:end], *of_line(line, MORE_WORDS, ())]
