"""kill -9 at random moments of any kind of training, of sweeps and of studies loses nothing.

DLTOOL_KILLS is the number of kills in all.
"""

import math
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from every_task import TASKS
from PIL import Image
from states import same_state
from synthetic_texts import write_every_text
from warm_process import Command, run_dltool

from dltool.core.safe_read import read_json
from dltool.engine.checkpoint import committed, is_good, load
from dltool.runs.lock import is_held
from dltool.runs.records import read_records

pytestmark = pytest.mark.slow

TRAININGS = {
    **TASKS,
    "word2vec": [
        *("model=word2vec", "model.dim=4", "data=corpus", "data.path={texts}/lines.txt", "data.batch_size=64"),
        *("data.sample=0", "data.window=2"),
    ],
}
MANY = ["sweep", "study"]
NUM_KILLS = math.ceil(int(os.environ.get("DLTOOL_KILLS", 60)) / (len(TRAININGS) + len(MANY)))
SEED = os.environ.get("DLTOOL_SEED", "0")
USUAL = ["trainer.device=cpu", "trainer.threads=1", "trainer.epochs=3", "logger.every_n_steps=3", "--quiet"]
OFTEN = ["trainer.checkpoint.every_n_steps=3"]
PICTURES = {".png", ".gif", ".svg"}
NOTHING_LEFT = "nothing is left to do"


def kill(moments: random.Random, longest: float, words: Sequence[str], folder: Path) -> bool:
    """Run a command and kill it at a random moment of `longest` seconds; whether it was still at work."""
    command = Command(*words, cwd=folder)
    command.process.join(moments.uniform(0, longest))
    command.process.kill()
    done = command.wait()
    if done.returncode == -signal.SIGKILL:
        return True
    check_end(done)
    return False


def check_end(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0 or NOTHING_LEFT in done.stderr, done.stderr


def newest_step(run: Path) -> int:
    """The step of the newest checkpoint; each one is good."""
    paths = list((run / "checkpoints").glob("step-*"))
    assert all(is_good(path) for path in paths)
    return max((int(path.name[5:11]) for path in paths), default=0)


def pictures(run: Path) -> list[str]:
    """The pictures of a run, by name; each one can be read to its end."""
    found = sorted(path for path in run.rglob("*") if path.suffix in PICTURES and ".tmp" not in path.name)
    for path in found:
        if path.suffix != ".svg":
            with Image.open(path) as image:
                for frame in range(getattr(image, "n_frames", 1)):
                    image.seek(frame)
                    image.load()
    return [str(path.relative_to(run)) for path in found]


def check_same(run: Path, whole: Path) -> None:
    """The run has ended as the one that nothing killed."""
    ends = [load(committed(folder / "checkpoints")[0]) for folder in (run, whole)]
    assert ends[0].step == ends[1].step
    assert same_state(ends[0].weights, ends[1].weights)
    assert repr(read_records(run / "metrics.jsonl")) == repr(read_records(whole / "metrics.jsonl"))  # NaN equals NaN.
    assert pictures(run) == pictures(whole)
    states = [read_json(folder / "status.json") for folder in (run, whole)]
    assert states[0]["state"] == states[1]["state"] == "finished"
    assert repr(states[0]["metrics"]) == repr(states[1]["metrics"])
    assert sorted(path.name for path in run.iterdir()) == sorted(path.name for path in whole.iterdir())


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training(name: str, tmp_path: Path) -> None:
    write_every_text(tmp_path / "texts")
    words = ["train", *(word.replace("{texts}", str(tmp_path / "texts")) for word in TRAININGS[name]), *USUAL]
    start = time.monotonic()
    done = run_dltool(*words, "run.dir=whole", cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    longest, moments, kills, reached, number = time.monotonic() - start, random.Random(f"{SEED} {name}"), 0, 0, 0
    while True:
        run = tmp_path / f"run{number}"
        begun = (run / "config.yaml").exists()
        command = ["resume", run.name, "--quiet"] if begun else [*words, *OFTEN, f"run.dir={run.name}"]
        if kills == NUM_KILLS:
            check_end(run_dltool(*command, cwd=tmp_path, timeout=300))
            break
        if kill(moments, longest, command, tmp_path):
            kills += 1
            step = newest_step(run)
            assert step >= reached, "a committed checkpoint was lost"
            reached = step
            remove_if_it_never_began(run)
        else:
            check_same(run, tmp_path / "whole")
            number, reached = number + 1, 0
    check_same(run, tmp_path / "whole")


def remove_if_it_never_began(run: Path) -> None:
    if run.exists() and not (run / "config.yaml").exists():
        assert newest_step(run) == 0
        done = run_dltool("resume", run.name, cwd=run.parent)
        assert done.returncode == 2
        assert "it never began" in done.stderr or f"the run in {run} never began" in done.stderr
        shutil.rmtree(run)


SMALL = ["model=mlp", "model.hidden=[8]", "data=iris", "logger.plots=false", *USUAL]


def run_to_its_end(command: Sequence[str], folder: Path, cwd: Path, longest: float) -> None:
    """Kill a search at random moments, and sometimes one of its jobs too; then let it end."""
    moments = random.Random(f"{SEED} {command[0]}")
    for _ in range(NUM_KILLS):
        kill(moments, longest, command, cwd)
        for job in folder.glob("*/.lock") if moments.random() < 0.5 else ():
            if (pid := holder(job.parent)) is not None:
                os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 60
        while any(is_held(path.parent) for path in folder.rglob(".lock")):
            assert time.monotonic() < end
            time.sleep(0.05)
    done = run_dltool(*command, cwd=cwd, timeout=300)
    if "the same command tries them again in a minute" in done.stderr:  # A job may have been starting at the kill.
        from dltool.search.study import GRACE_SECONDS  # Needs optuna.

        time.sleep(GRACE_SECONDS + 5)
        done = run_dltool(*command, cwd=cwd, timeout=300)
    assert done.returncode == 0, done.stderr


def holder(folder: Path) -> int | None:
    """The process that holds a run folder."""
    return read_json(folder / "status.json").get("pid") if is_held(folder) else None


def test_a_sweep(tmp_path: Path) -> None:
    command = ["train", "-m", *SMALL, *OFTEN, "seed=1,2,3,4", "sweep.n_jobs=2"]
    start = time.monotonic()
    assert run_dltool(*command, "sweep.dir=whole", cwd=tmp_path, timeout=300).returncode == 0
    run_to_its_end([*command, "sweep.dir=killed"], tmp_path / "killed", tmp_path, time.monotonic() - start)
    jobs = sorted(path.parent.name for path in (tmp_path / "whole").glob("*/config.yaml"))
    assert len(jobs) == 4
    for job in jobs:
        check_same(tmp_path / "killed" / job, tmp_path / "whole" / job)
    results = [(tmp_path / name / "sweep.csv").read_text().splitlines() for name in ("killed", "whole")]
    assert len(results[0]) == len(results[1]) == 5


def test_a_study(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    command = ["tune", *SMALL, "optim.lr=interval(1e-4,1e-1)", "tune.study=s", "tune.trials=5"]
    folder = tmp_path / "outputs" / "studies" / "s"
    run_to_its_end(command, folder, tmp_path, 6)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
    study = optuna.load_study(study_name="s", storage=optuna.storages.JournalStorage(backend))
    ended = [trial for trial in study.get_trials() if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(ended) == 5
    for trial in ended:
        run = tmp_path / trial.user_attrs["run"]
        assert newest_step(run) > 0
        assert read_json(run / "status.json")["state"] == "finished"
