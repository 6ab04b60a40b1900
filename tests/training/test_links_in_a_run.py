"""A run folder that a stranger prepared makes no verb write anywhere else."""

import os
import shutil
from pathlib import Path

import pytest

SECRET = "alias ls='ls --color'\n"
FILES = [
    ".lock",
    "log.txt",
    "config.yaml",
    "status.json",
    "environment.json",
    "metrics.jsonl",
    "metrics.csv",
    "checkpoints/last",
    "plots/curves.png",
    "samples/training.gif",
]
PICTURES = ("plots/curves.png", "samples/training.gif")
FOLDERS = ["checkpoints", "plots", "samples", "tensorboard"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of a GAN, which writes all that a training can."""
    from dltool.cli.main import main

    path = tmp_path_factory.mktemp("finished") / "run"
    words = ["model=gan", "model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "data=gaussians"]
    words += ["data.num_samples=400", "trainer.epochs=2", "trainer.threads=1", "trainer.device=cpu"]
    assert main(["train", *words, f"run.dir={path}", "--quiet"]) == 0
    return path


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def victim(tmp_path):
    """A folder of the user's with a file in it, which nothing may change."""
    path = tmp_path / "home"
    path.mkdir()
    (path / ".bashrc").write_text(SECRET)
    return path


def untouched(victim: Path) -> bool:
    return [path.name for path in victim.iterdir()] == [".bashrc"] and (victim / ".bashrc").read_text() == SECRET


def put(path: Path, link: str, target: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target) if link == "symbolic" else path.hardlink_to(target)


@pytest.mark.parametrize("link", ["symbolic", "hard"])
@pytest.mark.parametrize("name", FILES)
def test_resume_writes_through_no_linked_file(dltool_here, run, victim, name, link):
    if (run / name).exists() and name in ("config.yaml", "environment.json"):
        (victim / ".bashrc").write_bytes((run / name).read_bytes())  # So that it can be read.
    before = (victim / ".bashrc").read_bytes()
    put(run / name, link, victim / ".bashrc")
    done = dltool_here("resume", str(run), "trainer.epochs=3", f"logger.plots={str(name in PICTURES).lower()}")
    assert (victim / ".bashrc").read_bytes() == before
    assert [path.name for path in victim.iterdir()] == [".bashrc"]
    assert "Traceback" not in done.stderr
    if name != "plots/curves.png":  # A picture that cannot be drawn is a warning of Python's, and ends no run.
        said = " ".join(done.stderr.split())
        assert "dltool writes only to regular files in a run folder" in said or "only regular files are read" in said


@pytest.mark.parametrize("name", FOLDERS)
def test_resume_enters_no_linked_folder(dltool_here, run, victim, name):
    shutil.rmtree(run / name, ignore_errors=True)
    (run / name).symlink_to(victim)
    done = dltool_here("resume", str(run), "trainer.epochs=3", "logger=tensorboard")
    assert untouched(victim)
    assert "Traceback" not in done.stderr


def test_a_link_in_checkpoints_is_not_emptied(dltool_here, run, victim):
    (run / "checkpoints" / ".tmp-stale").symlink_to(victim)
    assert dltool_here("resume", str(run), "trainer.epochs=3").returncode == 0
    assert untouched(victim)
    assert not (run / "checkpoints" / ".tmp-stale").is_symlink()


@pytest.mark.parametrize(
    "name", [".lock", "log.txt", "status.json", "environment.json", "metrics.jsonl", "{step}/manifest.json"]
)
def test_no_verb_waits_for_a_pipe(dltool_here, run, name, tmp_path):
    (tmp_path / "outputs").mkdir()
    run = run.rename(tmp_path / "outputs" / "a")
    for step in [path.name for path in (run / "checkpoints").glob("step-*")]:
        path = run / name.format(step=f"checkpoints/{step}")
        path.unlink()
        os.mkfifo(path)
        if "{" not in name:
            break
    listed = dltool_here("runs")
    assert listed.returncode == 0, listed.stderr
    assert "outputs/a" in listed.stdout
    done = dltool_here("resume", str(run), "trainer.epochs=3")
    assert done.returncode in (1, 2), done.stderr


@pytest.mark.parametrize("words", [["runs", "rm", "{run}", "--yes"], ["sample", "{run}", "--count", "4"]])
def test_verbs_that_use_a_run_follow_no_link(dltool_here, run, victim, words):
    put(run / ".lock", "symbolic", victim / ".bashrc")
    for name in ("samples", "plots", "export"):
        shutil.rmtree(run / name, ignore_errors=True)
        (run / name).symlink_to(victim)
    done = dltool_here(*(word.format(run=run) for word in words))
    assert untouched(victim)
    assert done.returncode == 2
    done = dltool_here("export", str(run), "--format", "safetensors")
    assert untouched(victim)
    assert done.returncode in (1, 2)


def test_a_sweep_follows_no_link(dltool_here, tmp_path, victim):
    words = ["train", "-m", "model=mlp", "data=iris", "trainer.steps=1", "seed=1,2", "trainer.threads=1"]
    words += ["logger.plots=false", "sweep.dir=sweep"]
    sweep = tmp_path / "sweep"
    assert dltool_here(*words).returncode == 0
    for pattern in (".lock", "logs/*", "sweep.csv"):
        for run in [path.parent for path in sweep.glob("*/config.yaml")]:
            shutil.rmtree(run)
        path = next(iter(sweep.glob(pattern)))
        kept = path.read_bytes()
        put(path, "symbolic", victim / ".bashrc")
        done = dltool_here(*words)
        assert untouched(victim), pattern
        assert done.returncode != 0, pattern
        path.unlink()
        path.write_bytes(kept)


def test_links_above_a_run_are_followed(dltool_here, run, tmp_path):
    (tmp_path / "latest").symlink_to(run)
    done = dltool_here("resume", str(tmp_path / "latest"), "trainer.epochs=3")
    assert done.returncode == 0, done.stderr
    assert '"epoch": 3' in (run / "status.json").read_text()


@pytest.mark.parametrize("name", ["status.json", "config.yaml", "environment.json", "checkpoints", "metrics.jsonl"])
@pytest.mark.parametrize("words", [["report"], ["evaluate"], ["runs", "show"]], ids=" ".join)
def test_no_verb_reads_through_a_link(dltool_here, run, victim, name, words):
    """The link leads to a copy that could be read: the content of the target appears nowhere."""
    kept = victim.parent / "kept"
    shutil.move(run / name, kept)
    (run / name).symlink_to(kept)
    done = dltool_here(*words, str(run))
    assert "Traceback" not in done.stderr
    assert "debug" not in done.stderr
    if done.returncode == 0:  # A table shows the run as damaged, or leaves the part out.
        assert words != ["evaluate"] or name == "metrics.jsonl"
