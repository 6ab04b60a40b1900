"""`dltool runs …` as a user types it."""

import csv
import io
import json
import os
import pty
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fabricated import make_run
from places import command, one_thread

from dltool.cli.tables import cell_width

Dltool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """Two finished runs and a failed one below outputs/, as their paths are typed."""
    day = tmp_path / "outputs" / "2026-11-20"
    make_run(day / "12-00-00_mlp_iris", {"optim.lr": 0.1}, metrics={"test/accuracy": 0.9}, curve=[1.0, 0.5])
    make_run(day / "13-00-00_mlp_iris", {"optim.lr": 0.2}, metrics={"test/accuracy": 0.95}, curve=[0.9, 0.4])
    make_run(day / "14-00-00_mlp_数据", {"model.name": "lenet"}, state="failed", error="out of\nmemory", curve=[2.0])
    return [str(path.relative_to(tmp_path)) for path in sorted(day.iterdir())]


def on_terminal(cwd: Path, answer: str, *words: str, columns: int = 100) -> tuple[int, str]:
    """The command with a terminal for its input and output; returns its exit code and what the screen showed."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover
        os.chdir(cwd)
        os.execvpe(sys.executable, [*command(*words)], {**one_thread(), "COLUMNS": str(columns), "TERM": "xterm"})
    os.write(terminal, answer.encode())
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # Linux ends a terminal that way.
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_no_runs_yet(dltool_here: Dltool) -> None:
    for words in ([], ["list"], ["model=lenet"]):
        done = dltool_here("runs", *words)
        assert (done.returncode, done.stdout) == (
            0,
            "no runs in outputs yet; make one with: dltool train model=lenet optim=adam\n",
        )
    assert dltool_here("runs", "--json").stdout == "[]\n"


def test_list_in_a_pipe_is_whole_lines(dltool_here: Dltool, three: list[str]) -> None:
    lines = dltool_here("runs").stdout.splitlines()
    assert lines[0].split() == ["run", "state", "model", "optim.lr", "test/accuracy", "val/loss", "seconds", "age"]
    assert [line.split()[0].strip("'") for line in lines[1:]] == three[::-1]
    assert lines[2].split()[1:7] == ["finished", "mlp", "0.2", "0.9500", "0.5000", "3.5"]
    before_state = [cell_width(line[: line.index(" f")].rstrip()) for line in lines[1:]]
    assert before_state == [cell_width(f"'{three[2]}'"), len(three[1]), len(three[0])]
    ends = [cell_width(line[: line.index(" f")]) for line in lines[1:]]
    assert len(set(ends)) == 1  # The columns stand below each other: Chinese characters are two wide.


def test_what_the_runs_are_sorted_by_is_shown(dltool_here: Dltool, three: list[str]) -> None:
    heading = dltool_here("runs").stdout.splitlines()[0]
    assert " step " not in heading
    assert " step " in dltool_here("runs", "--sort", "step").stdout.splitlines()[0]
    assert dltool_here("runs", "--sort", "seconds").stdout.splitlines()[0].split() == heading.split()


def test_filter_sort_limit_anywhere_on_the_line(dltool_here: Dltool, three: list[str]) -> None:
    done = dltool_here("runs", "--sort", "test/accuracy", "state=finished", "--limit", "1", "optim.lr<1", "--json")
    assert [run["run"] for run in json.loads(done.stdout)] == [three[1]]
    done = dltool_here("runs", "list", "--ascending", "--columns", "optim.lr,date")
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["optim.lr", "0.1", "0.2", "0.001"]
    assert dltool_here("runs", "model=vgg").stdout == "none of 3 runs matches model=vgg\n"


def test_csv_has_every_key(dltool_here: Dltool, three: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(dltool_here("runs", "--csv").stdout)))
    assert [row["run"] for row in rows] == three[::-1]
    assert (rows[0]["error"], rows[0]["model.hidden"], rows[0]["test/accuracy"]) == ("out of\nmemory", "[8]", "")
    assert rows[1]["test/accuracy"] == "0.95"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shwo"], "did you mean dltool runs show?"),
        (["lr=1"], "did you mean optim.lr"),
        (["--sort", "acuracy"], "did you mean test/accuracy?"),
        (["--columns", "optim.lt"], "did you mean optim.lr?"),
        (["--root", "nowhere"], "nowhere is not a folder"),
        (["--limit", "-1"], "--limit -1: must be at least 0"),
        (["show", "12-00-00_mlp_irs"], "did you mean outputs/2026-11-20/12-00-00_mlp_iris?"),
        (["show", "."], "is not a run folder"),
        (["compare", "12-00-00_mlp_iris"], "1 run to compare, two are needed"),
        (["plot"], "no run is named"),
        (["plot", "model=mlp", "--metric", "val/los"], "did you mean --metric val/loss?"),
        (["plot", "model=mlp", "--output", "x.jpg"], "--output x.png"),
        (["plot", "model=mlp", "--x", "seconds"], "invalid choice"),
        (["plot", "model=vgg"], "no run matches model=vgg"),
        (["rm"], "no run is named"),
        (["rm", "state=failed"], "--yes removes without asking"),
        (["rm", "outputs"], "is not a run folder"),
        (["list", "--frob"], "has no --frob"),
    ],
    ids=" ".join,
)
def test_bad_input_is_two_lines_and_exit_2(
    words: list[str], message: str, dltool_here: Dltool, three: list[str], tmp_path: Path
) -> None:
    done = dltool_here("runs", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 2
    assert done.stdout == ""
    assert all((tmp_path / run / "status.json").exists() for run in three)


def test_show(dltool_here: Dltool, three: list[str]) -> None:
    shown = dltool_here("runs", "show", "14-00-00_mlp_数据").stdout
    assert r"error    out of\nmemory" in shown
    assert f"dltool resume '{three[2]}'" in shown
    assert "step-000020  1.0 MB  last" in shown
    known = json.loads(dltool_here("runs", "show", three[0], "--json").stdout)
    assert known["changed"] == {"optim.lr": 0.1, "data.name": "iris", "model.name": "mlp", "model.hidden": [8]}
    assert known["environment"]["versions.torch"] == "2.15.0"


def test_show_a_damaged_run(dltool_here: Dltool, three: list[str], tmp_path: Path) -> None:
    (tmp_path / three[0] / "status.json").write_text("{")
    (tmp_path / three[0] / "environment.json").unlink()
    done = dltool_here("runs", "show", three[0])
    assert done.returncode == 0
    assert "damaged" in done.stdout
    assert "status.json cannot be read" in done.stdout


def test_compare(dltool_here: Dltool, three: list[str]) -> None:
    lines = dltool_here("runs", "compare", "--json", *three[:2]).stdout
    found = json.loads(lines)
    assert found["runs"] == three[:2]
    assert found["config"] == {"optim.lr": [0.1, 0.2]}
    assert found["metrics"]["test/accuracy"] == [0.9, 0.95]
    table = dltool_here("runs", "compare", *three).stdout.splitlines()
    assert next(line.split() for line in table if "model.name" in line) == ["model.name", "mlp", "mlp", "lenet"]
    assert "environment: no difference" in table


def test_plot_says_where_and_overwrites_nothing(dltool_here: Dltool, three: list[str], tmp_path: Path) -> None:
    done = dltool_here("runs", "plot", *three)
    picture = tmp_path / done.stdout.strip()
    assert picture.parent == tmp_path / "outputs"
    assert picture.read_bytes().startswith(b"\x89PNG")
    (tmp_path / three[2] / "metrics.jsonl").write_text("")
    done = dltool_here("runs", "plot", *three, "--metric", "val/loss", "--output", "new/曲线.pdf")
    assert done.stdout == "'new/曲线.pdf'\n"
    assert done.stderr == f"warning: '{three[2]}' has no val/loss\n"
    assert (tmp_path / "new" / "曲线.pdf").read_bytes().startswith(b"%PDF")
    assert dltool_here("runs", "plot", three[2]).returncode == 2


def test_rm(dltool_here: Dltool, three: list[str], tmp_path: Path) -> None:
    done = dltool_here("runs", "rm", "model=mlp", "--checkpoints", "--yes")
    assert done.stdout == "removed the checkpoints of 2 runs: 2.0 MB freed\n"
    assert (
        dltool_here("runs", "rm", "state=killed", "--yes").stdout
        == "no run matches state=killed; nothing was removed\n"
    )
    assert dltool_here("runs", "rm", *three, "--yes").returncode == 0
    assert list((tmp_path / "outputs").iterdir()) == []


def test_rm_asks_on_a_terminal(three: list[str], tmp_path: Path) -> None:
    code, screen = on_terminal(tmp_path, "\n", "runs", "rm", "state=failed")
    assert (code, "nothing was removed" in screen) == (0, True)
    assert (tmp_path / three[2]).exists()
    code, screen = on_terminal(tmp_path, "y\n", "runs", "rm", "state=failed")
    assert (code, "1.0 MB freed" in screen) == (0, True)
    assert not (tmp_path / three[2]).exists()


def test_list_on_a_narrow_terminal_has_a_line_a_run(three: list[str], tmp_path: Path) -> None:
    code, screen = on_terminal(tmp_path, "", "runs", columns=90)
    assert code == 0
    assert len(screen.strip().splitlines()) == 4
    assert "optim.lr" not in screen  # There is room for the model only.
    assert "model" in screen


@pytest.mark.parametrize(
    "words", [["runs"], ["runs", "--sort", "test/accuracy"], ["runs", "--columns", "optim.lr,val/loss"]]
)
def test_a_name_is_never_split(words: list[str], three: list[str], tmp_path: Path) -> None:
    code, screen = on_terminal(tmp_path, "", *words, columns=50)
    assert code == 0
    assert all(name in screen for name in three)


def test_a_real_training_is_listed(dltool_here: Dltool) -> None:
    words = [
        "model=mlp",
        "model.hidden=[4]",
        "data=iris",
        "trainer.epochs=2",
        "trainer.device=cpu",
    ]
    trained = dltool_here("train", *words, "trainer.threads=1", "--quiet")
    (run,) = json.loads(dltool_here("runs", "--json").stdout)
    assert (run["run"], run["state"], run["epoch"]) == (trained.stdout.strip(), "finished", 2)
    shown = json.loads(dltool_here("runs", "show", run["run"], "--json").stdout)
    expected = {"trainer.epochs": 2, "data.name": "iris", "model.name": "mlp", "model.hidden": [4]}
    assert shown["changed"] == expected | {"trainer.device": "cpu", "trainer.threads": 1}
    picture = dltool_here("runs", "plot", run["run"]).stdout.strip()
    assert Path(picture).read_bytes().startswith(b"\x89PNG")


def test_a_thousand_runs_are_listed_within_a_second(tmp_path: Path) -> None:
    """From the shell, start-up included: 0.5 s. Processor seconds, the best of three, since machines are busy."""
    source = make_run(tmp_path / "source")
    status = (source / "status.json").read_bytes()
    for n in range(1000):
        run = tmp_path / "outputs" / f"2026-11-{1 + n % 20:02d}" / f"12-{n // 60:02d}-{n % 60:02d}_mlp_iris"
        run.mkdir(parents=True)
        (run / "status.json").write_bytes(status.replace(b"finished", b"running") if n % 10 == 0 else status)
        (run / ".lock").touch()
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command("runs"), cwd=tmp_path, capture_output=True, text=True, env=one_thread())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert done.stdout.count("finished") == 900
    assert done.stdout.count("killed") == 100
    assert min(seconds) < 1
