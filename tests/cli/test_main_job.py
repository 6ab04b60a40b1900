"""The commands as a user types them, in processes of their own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from places import command, one_thread
from states import same_state
from warm_process import Command

from dltool.engine.checkpoint import load
from dltool.runs.records import read_records

Dltool = Callable[..., subprocess.CompletedProcess[str]]
SMALL = ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.epochs=3", "trainer.threads=1", "trainer.device=cpu"]
LONG = [*SMALL[:3], "trainer.epochs=1000000", "trainer.threads=1", "data.batch_size=4", "logger.plots=false"]


def status(folder: Path) -> dict:
    return json.loads((folder / "status.json").read_text(encoding="utf-8"))


def only_run(root: Path) -> Path:
    (folder,) = root.glob("outputs/*/*")
    return folder


def start(cwd: Path, *words: str) -> Command:
    """Start a training and wait until it has taken some steps."""
    process = Command(*words, cwd=cwd)
    deadline = time.monotonic() + 60
    while not list(cwd.glob("run/checkpoints/step-*")):
        assert not process.ended(), process.wait()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_a_run_from_beginning_to_end(dltool: Dltool, dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool("train", *SMALL)
    assert done.returncode == 0, done.stderr
    folder = only_run(tmp_path)
    assert folder.name.endswith("_mlp_iris")
    assert {path.name for path in folder.iterdir()} >= {
        "config.yaml",
        "metrics.jsonl",
        "status.json",
        "environment.json",
        "checkpoints",
        "plots",
        "log.txt",
    }
    # What a person reads: lines per epoch on stderr as there is no terminal, the summary on stdout.
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("epoch")] == ["1/3", "2/3", "3/3"]
    assert "test/accuracy" in done.stdout
    assert f"dltool resume {folder.relative_to(tmp_path)} trainer.epochs=6" in done.stdout
    figures = sorted(path.name for path in (folder / "plots").iterdir() if path.name != "curves.png")
    assert f"figures    {folder.relative_to(tmp_path)}/plots: {', '.join(figures)}\n" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    # What a program reads.
    state = status(folder)
    assert (state["state"], state["epoch"], state["stopped_by"]) == ("finished", 3, "epochs")
    assert 0 <= state["metrics"]["test/accuracy"] <= 1
    assert 0 < state["seconds"]["first_step"] < state["seconds"]["total"]
    assert state["samples_per_second"] > 0
    assert state["config"]["model.hidden"] == [8]
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["auto"]["trainer.threads"] == 1
    assert environment["command"][:2] == ["dltool", "train"]
    splits = [record["split"] for record in read_records(folder / "metrics.jsonl")]
    assert splits == ["train", "val"] * 3 + ["test"]
    assert (folder / "plots" / "curves.png").stat().st_size > 5000
    # Its config alone repeats it, bit by bit.
    again = dltool_here("train", "--from", str(folder), "run.dir=again", "--quiet")
    assert again.returncode == 0, again.stderr
    assert again.stdout == "again\n"
    assert status(tmp_path / "again")["metrics"] == state["metrics"]
    ours, theirs = (OmegaConf.load(path / "config.yaml") for path in (folder, tmp_path / "again"))
    assert ours == theirs
    # With a key changed it is another run; a group replaced is replaced whole.
    other = dltool_here(
        "train", "--from", str(folder), "optim=sgd", "optim.lr=0.5", "seed=3", "run.dir=other", "--quiet"
    )
    assert other.returncode == 0, other.stderr
    config = OmegaConf.load(tmp_path / "other" / "config.yaml")
    assert (config.seed, config.optim.name, config.optim.lr, config.model.hidden) == (3, "sgd", 0.5, [8])
    assert "betas" not in config.optim
    # Nothing is left to do for a finished run, until it is given more to do.
    refused = dltool_here("resume", str(folder))
    assert refused.returncode == 2
    assert "nothing is left to do" in refused.stderr
    assert "trainer.epochs=" in refused.stderr
    longer = dltool_here("resume", str(folder), "trainer.epochs=5")
    assert longer.returncode == 0, longer.stderr
    assert "the schedule is computed for 10 steps" in longer.stderr
    assert status(folder)["epoch"] == 5
    assert [record["split"] for record in read_records(folder / "metrics.jsonl")] == ["train", "val"] * 5 + ["test"]
    # What would make it another training is refused, with the difference.
    refused = dltool_here("resume", str(folder), "optim.lr=0.5", "trainer.epochs=9")
    assert refused.returncode == 2
    assert "optim.lr was 0.001 in this run and cannot become 0.5" in refused.stderr
    assert "--from" in refused.stderr


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_the_run_goes_on(signum: int, code: int, dltool_here: Dltool, tmp_path: Path) -> None:
    process = start(tmp_path, "train", *LONG, "run.dir=run")
    process.send_signal(signum)
    stopped = process.wait(timeout=30)
    assert stopped.returncode == code, stopped.stderr
    state = status(tmp_path / "run")
    assert state["state"] == "interrupted"
    assert "dltool resume run" in stopped.stderr
    last = load(tmp_path / "run" / "checkpoints" / (tmp_path / "run" / "checkpoints" / "last").read_text().strip())
    assert last.step == state["step"] > 0
    done = dltool_here("resume", "run", f"trainer.epochs={state['epoch'] + 2}", "--quiet")
    assert done.returncode == 0, done.stderr
    assert status(tmp_path / "run")["epoch"] == state["epoch"] + 2


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = start(tmp_path, "train", *LONG, "run.dir=run", "data.eval_batch_size=1")
    process.send_signal(signal.SIGSTOP)  # So that both arrive before the step is over.
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=30).returncode in (130, 143)


def test_two_runs_in_the_same_second_and_an_existing_folder(dltool_here: Dltool, tmp_path: Path) -> None:
    processes = [Command("train", *SMALL, "--quiet", cwd=tmp_path) for _ in range(2)]
    folders = {process.wait().stdout.strip() for process in processes}
    assert len(folders) == 2
    existing = folders.pop()
    refused = dltool_here("train", *SMALL, f"run.dir={existing}")
    assert refused.returncode == 2
    assert f"dltool resume {existing}" in refused.stderr


def test_nan_stops_with_the_step_and_keeps_the_last_good_checkpoint(dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool_here(
        "train", "model=linear", "data=diabetes", "optim=sgd", "optim.lr=1000", "run.dir=run", "trainer.epochs=50",
        "schedule=constant", "trainer.checkpoint.every_n_steps=1", "data.batch_size=full",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "error: the loss is" in done.stderr
    assert "the last good checkpoint is step-0" in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    state = status(tmp_path / "run")
    assert state["state"] == "failed"
    assert "at step" in state["error"]
    (last,) = {path.read_text().strip() for path in (tmp_path / "run" / "checkpoints").glob("last")}
    weights = load(tmp_path / "run" / "checkpoints" / last).weights
    assert all(tensor.isfinite().all() for tensor in weights.values())
    (line,) = [line for line in (tmp_path / "run" / "log.txt").read_text().splitlines() if "the last batch has" in line]
    samples = sorted(map(int, line.partition("training samples ")[2].removesuffix(", counted from 0").split(", ")))
    assert samples == list(range(len(samples)))  # The full batch is each sample once.


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "data=mnist"], "data"),
        (["train", "data=mnist", "data.root=没有"], "没有"),
        (["train", "trainer.device=cuda:7"], "trainer.device=cuda:7"),
        (["train", "trainer.device=gpu"], "trainer.device=gpu"),
        (["train", *SMALL, "stop.patience=1", "stop.metric=val/acc"], "train/loss, val/accuracy, val/loss"),
        (["train", *SMALL, "stop.loss_change=1e-3", "stop.loss=val", "data.val_fraction=0"], "stop.loss=val"),
        (["train", *SMALL, "stop.target=0.9", "data.val_fraction=0"], "no validation split"),
        (["train", "model=gan", "data=gaussians", "stop.metric=train/loss", "stop.target=1"], "stop.metric=train/loss"),
        (
            ["train", "model=gan", "data=gaussians", "stop.metric=val/d_real", "stop.target=1"],
            "stop.metric=val/d_real: neither the metric nor the task declares whether lower or higher is better",
        ),
        (
            ["train", "model=gan", "data=gaussians", "trainer.checkpoint.metric=val/js"],
            "trainer.checkpoint.metric=val/js: neither the metric nor the task declares",
        ),
        (["train", "model=gan", "data=gaussians", "stop.patience=3"], "stop.metric: a metric is required"),
        (["train", "model=gan", "data=gaussians", "stop.gradient_norm=1", "stop.gradient=full"], "stop.gradient=full"),
        (["train", "model=perceptron", "data=logic", "stop.gradient_norm=1"], "stop.gradient_norm"),
        (["train", "stop.patienc=3"], "unknown key stop.patienc"),
        (["train", "stop.max_minutes=-1"], "stop.max_minutes=-1: a number > 0"),
        (["train", *SMALL, "schedule=plateau", "schedule.metric=val/x"], "schedule.metric=val/x"),
        (["train", *SMALL, "optim.roles.critic.lr=1"], "critic"),
        (["train", *SMALL, "trainer.test=best", "data.val_fraction=0"], "trainer.checkpoint.metric"),
        (["train", *SMALL, "trainer.test=best", "trainer.checkpoint.keep_best=0"], "trainer.test=best"),
        (["train", *SMALL, "run.dir=/proc/nowhere"], "/proc"),
        (["train", "data.resize=null"], "32"),
        (["train", *SMALL, "data.batch_size=1000", "data.drop_last=true"], "data.batch_size=1000"),
        (["resume", "nowhere"], "there is no run nowhere"),
        (["resume", "."], "is not a run folder"),
        (["train", "--from", "nowhere"], "there is no run nowhere"),
        (["train", "--config-dir", "nowhere"], "is not a folder"),
        (["train", "--sweep"], "--sweep"),
        (["tarin"], "tarin"),
        (["check", "model.hiden=3"], "model.hiden"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_errors_before_the_first_step(words: list[str], message: str, dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool_here(*words)
    assert done.returncode == 2, done.stdout + done.stderr
    error, *rest = [line for line in done.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert message in error
    assert len(rest) <= 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_full_disk_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    """Nothing larger than 60 kB can be written, as with a quota: the log grows until it does not fit."""
    script = (
        "import resource, signal, sys\n"
        "from dltool.cli.main import main\n"
        "import dltool.training.train\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    words = [*LONG, "run.dir=run", "logger.every_n_steps=1", "trainer.checkpoint.every_n_epochs=3"]
    done = subprocess.run(
        [sys.executable, "-c", script, "train", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "the last good checkpoint is step-" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "run" / "checkpoints").glob(".tmp*"))
    assert status(tmp_path / "run")["state"] == "failed"


def test_chinese_names_and_paths(dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool_here("train", *SMALL, "run.dir=结果 (一)")
    assert done.returncode == 0, done.stderr
    assert "结果 (一)" in done.stdout
    assert (tmp_path / "结果 (一)" / "plots" / "curves.png").exists()
    resumed = dltool_here("resume", "结果 (一)", "trainer.epochs=4", "--quiet")
    assert resumed.returncode == 0, resumed.stderr


def test_show_and_check(dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool_here("show", "model=lenet", "optim.lr=0.5")
    assert done.returncode == 0, done.stderr
    assert "lr: 0.5" in done.stdout
    assert "# the command line" in done.stdout
    assert "# model/lenet.yaml" in done.stdout
    assert "becomes cross_entropy" in done.stdout
    assert "61,706" in done.stdout
    # 6·28²·25 + 16·10²·150 + 400·120 + 120·84 + 84·10, by hand.
    assert f"{6 * 28 * 28 * 25 + 16 * 100 * 150 + 400 * 120 + 120 * 84 + 84 * 10:,}" in done.stdout
    done = dltool_here("check", "model=gan", "data=gaussians")
    assert done.returncode == 0, done.stderr
    assert "all is well" in done.stdout
    assert not (tmp_path / "outputs").exists()


def test_the_composed_config_as_yaml_composes_again(dltool_here: Dltool, tmp_path: Path) -> None:
    done = dltool_here("train", "model=gan", "--cfg", "job")
    (tmp_path / "config.yaml").write_text(done.stdout)
    again = dltool_here("train", "--from", "config.yaml", "--cfg", "job")
    assert again.stdout == done.stdout


def test_an_error_that_nobody_reads_keeps_its_exit_code(tmp_path: Path) -> None:
    process = subprocess.Popen(command("train", "optm=adam"), cwd=tmp_path, stderr=subprocess.PIPE, env=one_thread())
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(timeout=60) == 2


def test_help_and_list(dltool_here: Dltool) -> None:
    assert "dltool train model=lenet optim=adam" in dltool_here("--help").stdout
    assert dltool_here().returncode == 0
    listed = dltool_here("list").stdout
    for group in (
        "attack",
        "augment",
        "metric",
        "task",
        "loss",
        "optim",
        "schedule",
        "trainer",
        "logger",
        "data",
        "model",
        "experiment",
        "debug",
    ):
        assert f"{group}: " in listed
    done = dltool_here("list", "modle")
    assert done.returncode == 2
    assert "did you mean model?" in done.stderr


def test_killed_and_resumed_weights(dltool_here: Dltool, tmp_path: Path) -> None:
    """The same as tests/engine/test_kill.py, once through the command line."""
    words = [word for word in LONG if "epochs" not in word]
    words += ["schedule=constant", "trainer.epochs=60"]
    process = start(tmp_path, "train", *words, "run.dir=run")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert dltool_here("resume", "run", "--quiet").returncode == 0
    assert dltool_here("train", *words, "run.dir=whole", "--quiet").returncode == 0
    ours, theirs = (load(tmp_path / name / "checkpoints" / last(tmp_path / name)) for name in ("run", "whole"))
    assert same_state(ours.weights, theirs.weights)


def last(folder: Path) -> str:
    return (folder / "checkpoints" / "last").read_text().strip()
