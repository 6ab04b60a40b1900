"""An observer of the user's own, from a trusted file, as it is typed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from watching import watch

from dltool.core.errors import RunError
from dltool.engine.observer import Observer
from dltool.engine.signals import Interrupted
from dltool.observers.own import OwnObserver

Dltool = Callable[..., subprocess.CompletedProcess[str]]

MINE = '''
from dltool.declarations.component import Positive, register
from dltool.engine.observer import Observer, Outcome, Progress, Watched
from dltool.tasks.task import Task


@register("observer", "norms")
class Norms(Observer):
    """Writes the norm of the weights."""

    def __init__(self, watched: Watched, *, every: Positive[int] = 1, fails_in: str = "nothing") -> None:
        if fails_in == "init":
            raise ValueError("not here")
        self.watched, self.every, self.fails_in = watched, every, fails_in
        self.file = watched.folder / "norms.csv"
        self.every_n_steps = 5
        self.events = []

    def note(self, event: str) -> None:
        self.events.append(event)
        if event == self.fails_in:
            raise ValueError("not here")  # the line

    def on_create(self) -> None:
        self.note("create")

    def on_start(self, task: Task, progress: Progress) -> None:
        self.task, self.progress = task, progress
        self.note("start")

    def on_record(self, record) -> None:
        record["spoiled"] = 1
        self.note("record")

    def on_steps(self) -> None:
        self.note("steps")

    def on_epoch(self) -> None:
        self.note("epoch")
        if self.progress.epoch % self.every == 0:
            norm = sum(p.detach().square().sum() for p in self.task.model.parameters()) ** 0.5
            with self.file.append() as lines:
                lines.write(f"{self.progress.epoch},{float(norm):.4f}\\n".encode())

    def before_checkpoint(self) -> None:
        self.note("checkpoint")

    def on_end(self) -> None:
        self.note("end")

    def on_outcome(self, outcome: Outcome) -> None:
        (self.watched.folder / "outcome.txt").write(f"{outcome.state} {self.watched.title} {' '.join(self.events)}")
        self.note("outcome")
'''
LINE = next(number for number, line in enumerate(MINE.splitlines(), start=1) if "# the line" in line)
SHORT = ["data=iris", "model=mlp", "trainer.epochs=4", "trainer.threads=1", "logger.plots=false", "--quiet"]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def status(run: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path(run, "status.json").read_text())
    return found


def test_sees_every_event_and_changes_nothing(dltool_here: Dltool, mine: Path) -> None:
    words = ["--trust", str(mine), "observer=norms", "observer.every=2"]
    done = dltool_here("train", *SHORT, *words, "run.dir=seen")
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[0] for line in Path("seen/norms.csv").read_text().splitlines()] == ["2", "4"]
    outcome = Path("seen/outcome.txt").read_text().split()
    assert outcome[:6] == ["finished", "mlp", "on", "iris", "create", "start"]
    assert set(outcome[6:]) == {"record", "steps", "epoch", "checkpoint", "end"}
    assert yaml.safe_load(Path("seen/config.yaml").read_text())["observer"] == {
        "name": "norms",
        "every": 2,
        "fails_in": "nothing",
    }
    assert "spoiled" not in Path("seen/metrics.jsonl").read_text() + Path("seen/metrics.csv").read_text()
    dltool_here("train", *SHORT, "run.dir=plain")
    assert Path("seen/metrics.jsonl").read_text() == Path("plain/metrics.jsonl").read_text()


def test_is_listed_and_refused_without_trust(dltool_here: Dltool, mine: Path, tmp_path: Path) -> None:
    listed = dltool_here("list", "observer", "--trust", str(mine)).stdout
    assert "norms" in listed
    assert "Writes the norm of the weights." in listed
    assert "norms" not in dltool_here("list", "observer").stdout
    refused = dltool_here("train", *SHORT, "observer=norms")
    assert refused.returncode == 2
    assert "observer=norms: there is no such observer; the options are none" in refused.stderr
    strange = tmp_path / "configs" / "experiment" / "strange.yaml"
    strange.parent.mkdir(parents=True)
    strange.write_text("# @package _global_\nobserver:\n  name: norms\n")
    refused = dltool_here("train", *SHORT, "experiment=strange", "--config-dir", "configs")
    assert refused.returncode == 2
    assert "observer.name=norms: there is no such observer" in refused.stderr
    assert not Path("outputs").exists()


@pytest.mark.parametrize("event", ["start", "record", "steps", "epoch", "checkpoint", "end"])
def test_a_failure_names_its_line_and_the_run_goes_on_without_it(dltool_here: Dltool, mine: Path, event: str) -> None:
    words = ["--trust", str(mine), "observer=norms", f"observer.fails_in={event}"]
    done = dltool_here("train", *SHORT, *words, "run.dir=run")
    assert done.returncode == 1
    place = f"observer=norms: {mine}, line {LINE}: ValueError: not here"
    assert f"error: {place}" in done.stderr
    assert "observer=none" in done.stderr
    assert status("run")["state"] == "failed"
    assert status("run")["error"] == place
    assert Path("run/outcome.txt").read_text().startswith("failed")
    done = dltool_here("resume", "run", "observer=none", "--quiet")
    assert done.returncode == 0, done.stderr
    assert status("run")["state"] == "finished"
    dltool_here("train", *SHORT, "run.dir=plain")
    assert Path("run/metrics.jsonl").read_text() == Path("plain/metrics.jsonl").read_text()
    assert Path("run/metrics.csv").read_text() == Path("plain/metrics.csv").read_text()


def test_a_failure_after_the_end_is_a_warning(dltool_here: Dltool, mine: Path) -> None:
    done = dltool_here(
        "train", *SHORT, "--trust", str(mine), "observer=norms", "observer.fails_in=outcome", "run.dir=run"
    )
    assert done.returncode == 0
    assert f"warning: observer=norms: {mine}, line {LINE}: ValueError: not here" in done.stderr
    assert status("run")["state"] == "finished"


def test_how_a_training_ended_is_not_hidden_by_a_failure_at_its_end(tmp_path: Path) -> None:
    class Broken(Observer):
        def on_end(self) -> None:
            raise ValueError("not here")

    warnings: list[str] = []
    own = OwnObserver("mine", Broken(), watch(tmp_path, warn=warnings.append))
    try:
        raise Interrupted(2)
    except Interrupted:
        own.on_end()
    assert warnings == ["observer=mine: ValueError: not here"]
    with pytest.raises(RunError, match="observer=mine: ValueError: not here"):
        own.on_end()


@pytest.mark.parametrize(
    ("words", "text", "message"),
    [
        (["observer.fails_in=init"], MINE, "ValueError: not here"),
        (["observer.every=0"], MINE, "observer.every=0"),
        (["observer.fails_in=create"], MINE, f"line {LINE}: ValueError: not here"),
        (
            [],
            MINE.replace("class Norms(Observer)", "class Norms"),
            "line 8: observer=norms gives a Norms, which is not ",
        ),
        ([], MINE.replace("class Norms(Observer)", "class Norms"), "not derived from Observer"),
    ],
)
def test_what_cannot_be_built_leaves_no_run(
    dltool_here: Dltool, mine: Path, words: list[str], text: str, message: str
) -> None:
    mine.write_text(text)
    done = dltool_here("train", *SHORT, "--trust", str(mine), "observer=norms", *words, "run.dir=run")
    assert done.returncode == (1 if "create" in "".join(words) else 2)
    assert message in done.stderr
    assert not Path("run").exists()


def test_a_run_is_used_and_goes_on_whatever_became_of_its_observer(dltool_here: Dltool, mine: Path) -> None:
    trust = ["--trust", str(mine)]
    assert dltool_here("train", *SHORT, *trust, "observer=norms", "run.dir=run").returncode == 0
    assert dltool_here("evaluate", "run").returncode == 0
    assert dltool_here("evaluate", "run", "trainer.precision=bf16-mixed").returncode == 0
    refused = dltool_here("evaluate", "run", "observer=none")
    assert refused.returncode == 0  # The same: what only watches a training is not used.
    refused = dltool_here("resume", "run", "trainer.epochs=5", "--quiet")
    assert refused.returncode == 2
    assert "observer=norms does not belong to dltool: the run used" in refused.stderr
    assert "observer=none continues without it" in refused.stderr
    mine.write_text(MINE + "\n# Another file now.\n")
    assert dltool_here("resume", "run", "trainer.epochs=5", "observer.every=3", *trust, "--quiet").returncode == 0
    assert [line.split(",")[0] for line in Path("run/norms.csv").read_text().splitlines()] == ["1", "2", "3", "4"]
    assert dltool_here("train", "--from", "run", "run.dir=again", *trust, "--quiet").returncode == 0
    assert Path("again/norms.csv").exists()
    assert dltool_here("train", "--from", "run", "observer=none", "run.dir=none", "--quiet").returncode == 0
    assert not Path("none/norms.csv").exists()
