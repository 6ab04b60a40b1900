"""Nothing around a command runs code or escapes: each hostile input ends in a result or one error line."""

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from hostile.case import TOKEN, Case, Place
from hostile.cases import all_cases
from hostile.measured import run_measured

from dltool.core.printable import UNSAFE_IN_LINES

SEED, SAMPLE = 1, 40
SECONDS, MEGABYTES = 10, 500  # Of the processor; above what the forked process has at its beginning.
CASES = {case.name: case for case in all_cases(SEED)}
FEW = sorted(random.Random(SEED).sample(sorted(CASES), SAMPLE))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained run with everything that a run folder may have."""
    path = tmp_path_factory.mktemp("trained")
    words = ["model=mlp", "model.hidden=[4]", "data=iris", "data.batch_size=64", "diagnostics=default"]
    done = run_measured(["train", *words, "trainer.epochs=2", "trainer.threads=1", "run.dir=run", "--quiet"], path)
    assert done.returncode == 0, done.stderr
    (path / "run" / "samples").mkdir()
    return path / "run"


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def check(case: Case, tmp_path: Path, trained: Path) -> None:
    place = Place(
        tmp_path / "cwd", tmp_path / "private", tmp_path / "code_has_run", tmp_path / "cwd" / "outputs" / "run"
    )
    place.cwd.mkdir()
    place.private.mkdir()
    place.secret.write_text(f'{{"step": 1, "state": "{TOKEN}"}}\n')
    if case.needs_run:
        shutil.copytree(trained, place.run)
    case.make(place)
    before = state_of(place.private)
    os.utime(place.secret, ns=(1, before[str(place.secret)][1]))  # A read sets the time of access.
    here = set(tmp_path.iterdir())
    done = run_measured(case.words, place.cwd)
    assert place.secret.stat().st_atime_ns == 1 or is_named_by_the_user(case), "the private file was read"
    assert state_of(place.private) == before, "something outside was written"
    assert set(tmp_path.iterdir()) == here, "something outside was written, or code has run"
    assert not place.marker.exists(), "code has run"
    output = done.stdout + done.stderr
    assert TOKEN not in output or is_named_by_the_user(case)
    assert "Traceback" not in output
    assert "with --debug to see" not in output, done.stderr
    assert not UNSAFE_IN_LINES.search(re.sub(r"\x1b\[\?25[lh]", "", output)), ascii(output)
    assert done.returncode in (0, 1, 2), done.stderr
    if done.returncode:
        assert len(re.findall(r"^error: ", done.stderr, re.MULTILINE)) == 1, output
    assert done.seconds < SECONDS
    assert done.megabytes < MEGABYTES


def is_named_by_the_user(case: Case) -> bool:
    """Whether the file may be read: by its second name, or by a link that the command line names itself."""
    return "hard_link" in case.name or "is_a_link-from" in case.name


@pytest.mark.parametrize("name", FEW)
def test_some_hostile_inputs(name: str, tmp_path: Path, trained: Path) -> None:
    check(CASES[name], tmp_path, trained)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CASES) - set(FEW)))
def test_all_hostile_inputs(name: str, tmp_path: Path, trained: Path) -> None:
    check(CASES[name], tmp_path, trained)


def test_there_are_enough() -> None:
    assert len(CASES) >= 300
    assert {name.split("-")[0] for name in CASES} == {"cwd", "run", "config", "data"}
