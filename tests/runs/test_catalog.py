import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fabricated import make_run

from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.runs.catalog import MAX_DEPTH, as_metric, as_text, find_run, find_runs, read_run, read_runs
from dltool.runs.folder import RunFolder
from dltool.runs.lock import is_held

Dltool = Callable[..., subprocess.CompletedProcess[str]]
GONE = 2**22 + 1  # No process has this id: Linux's greatest is 2**22.


def test_runs_are_found_at_every_depth_and_never_inside_a_run(tmp_path: Path) -> None:
    expected = {
        make_run(tmp_path / "2026-11-20" / "14-18-25_mlp_iris"),
        make_run(tmp_path / "2026-11-20" / "15-00-00_sweep" / "3_数据"),
        make_run(tmp_path / "mine"),
    }
    make_run(tmp_path / "mine" / "checkpoints" / "nested")
    make_run(tmp_path / ".hidden" / "run")
    make_run(tmp_path.joinpath(*"abcde"[: MAX_DEPTH + 1]))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert set(find_runs(tmp_path)) == expected
    assert list(find_runs(tmp_path / "mine")) == [tmp_path / "mine"]
    assert list(find_runs(tmp_path / "nowhere")) == []


def test_links_end_and_name_no_run_twice(tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    run = make_run(root / "2026-11-20" / "z_run")
    elsewhere = make_run(tmp_path / "disk" / "far")
    (root / "2026-11-20" / "a_link_to_it").symlink_to(run)
    (root / "loop").symlink_to(root)
    (root / "itself").symlink_to("itself")
    (root / "disk").symlink_to(tmp_path / "disk")
    assert list(find_runs(root)) == [run, root / "disk" / elsewhere.name]


def test_a_record_is_what_the_status_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record = read_run(make_run(tmp_path / "2026-11-20" / "14-18-25_mlp_iris", {"optim.lr": 0.5}, metrics={"a/b": 2}))
    assert (record.path, record.state, record.date) == (
        Path("2026-11-20/14-18-25_mlp_iris"),
        "finished",
        "2026-11-20 14:18:25",
    )
    assert (record.value("optim.lr"), record.value("a/b"), record.value("seconds")) == (0.5, 2.0, 3.5)
    assert record.value("run") == "2026-11-20/14-18-25_mlp_iris"
    assert record.value("nothing") is None


def test_the_date_of_a_run_with_another_name_is_that_of_its_log(tmp_path: Path) -> None:
    run = make_run(tmp_path / "mine")
    (run / "log.txt").write_text("2026-01-31 12:00:00 mlp on iris\n2026-02-01 09:00:00 resuming\n")
    assert read_run(run).date == "2026-01-31 12:00:00"
    (run / "log.txt").write_text("torn")
    os.utime(run / "status.json", (0, time.mktime((2026, 3, 4, 5, 6, 7, 0, 0, -1))))
    assert read_run(run).date == "2026-03-04 05:06:07"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"state": "finished"}', "\ufeff{}", "[" * 100_000, '{"state": [], "metrics": 3}'],
    ids=range(8),
)
def test_a_damaged_status_is_a_state_and_no_crash(tmp_path: Path, text: str) -> None:
    run = make_run(tmp_path / "run")
    (run / "status.json").write_text(text, encoding="utf-8")
    record = read_run(run)
    assert (record.state, record.config) == ("damaged", {})
    assert [found.state for found in read_runs(tmp_path)] == ["damaged"]


def test_an_unknown_state_is_damaged(tmp_path: Path) -> None:
    assert read_run(make_run(tmp_path / "run", state="resting")).state == "damaged"


def test_running_is_believed_of_a_process_that_holds_the_run(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", state="running", pid=GONE)
    assert read_run(path).state == "killed"
    run = RunFolder(path)
    run.hold()
    assert read_run(path).state == "running"
    (path / "status.json").unlink()  # Between making the folder and the first step.
    assert read_run(path).state == "running"
    run.close()
    assert read_run(path).state == "killed"
    (path / ".lock").unlink()
    assert read_run(path).state == "damaged"  # Nothing but a config.yaml.


@pytest.mark.parametrize(
    ("pid", "held"),
    [(os.getpid(), True), (GONE, False), (None, False), ("7", False), (-1, False)],
    ids=["ours", "gone", "none", "a text", "negative"],
)
def test_without_a_lock_the_process_tells(tmp_path: Path, pid: object, held: bool) -> None:
    assert is_held(tmp_path, pid) == held


def test_asking_does_not_keep_a_training_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`dltool runs` may hold the lock in the very moment in which `dltool resume` wants it."""
    (tmp_path / ".lock").touch()
    with (tmp_path / ".lock").open() as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)
        threading.Timer(0.3, asked.close).start()  # As slowly as on a loaded machine.
        run = RunFolder(tmp_path)
        run.hold()
    monkeypatch.setattr("dltool.runs.lock.time.sleep", lambda seconds: pytest.fail("a held folder is refused at once"))
    with pytest.raises(ConfigError, match=f"process {os.getpid()} is training"):
        RunFolder(tmp_path).hold()
    (tmp_path / ".lock").write_text("")  # The holder writes its id after it has locked the file.
    with pytest.raises(ConfigError, match=r"^another process is training"):
        RunFolder(tmp_path).hold()
    run.close()


def test_a_run_that_is_not_writable_is_refused_before_torch_is_imported(
    dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = make_run(tmp_path / "run", state="interrupted")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setitem(sys.modules, "dltool.training.resume", None)
    monkeypatch.setitem(sys.modules, "dltool.training.train", None)
    resumed, trained = dltool_here("resume", "run"), dltool_here("train", "model=mlp", "run.dir=new/run")
    assert (resumed.returncode, resumed.stderr) == (
        2,
        f"error: {path} is not writable, so the run cannot continue in it\n"
        "hint: chmod u+w run, or continue in a copy of it\n",
    )
    assert (trained.returncode, trained.stderr) == (
        2,
        f"error: the run folder cannot be created in {tmp_path}/new/run: Permission denied\n"
        "hint: run.dir=FOLDER names a writable one\n",
    )


def test_a_lock_that_cannot_be_opened_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(self: SafePath, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(SafePath, "open", refuse)
    with pytest.raises(ConfigError, match=r"/\.lock cannot be written: Permission denied"):
        RunFolder(tmp_path).hold()


def test_a_real_training_in_another_process_is_running_and_then_killed(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", state="running")
    script = (
        "import sys; from pathlib import Path; from dltool.runs.folder import RunFolder\n"
        f"run = RunFolder(Path({str(path)!r})); run.hold(); print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"held\n"
        assert read_run(path).state == "running"
    finally:
        process.kill()
        process.communicate()
    assert read_run(path).state == "killed"


def test_a_run_is_named_by_its_path_or_the_end_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = Path("outputs")
    one = make_run(root / "2026-11-20" / "14-18-25_mlp_iris")
    other = make_run(root / "2026-11-21" / "14-18-25_mlp_iris")
    single = make_run(root / "2026-11-21" / "15-00-00_lenet_digits")
    assert find_run(str(single.absolute()), root) == single
    assert find_run("15-00-00_lenet_digits", root) == single
    assert find_run("2026-11-20/14-18-25_mlp_iris", root) == one
    with pytest.raises(ConfigError, match=f"2 runs: {one}, {other}"):
        find_run("14-18-25_mlp_iris", root)
    with pytest.raises(ConfigError) as error:
        find_run("15-00-00_lenet_digit", root)
    assert error.value.hint == f"did you mean {single}?"
    for name in ("outputs", "", "."):
        with pytest.raises(ConfigError, match="not a run folder"):
            find_run(name, root)


def test_values_as_they_are_typed_and_numbers_as_they_tell() -> None:
    values = [None, True, 1e-3, [256, [1, 2]], "a b", {"x": None}]
    assert list(map(as_text, values)) == ["null", "true", "0.001", "[256,[1,2]]", "a b", "{x:null}"]
    numbers = [0.98765, 1e-5, 0.0, 12345.678, 3e7, float("nan"), None]
    assert list(map(as_metric, numbers)) == ["0.9877", "1e-05", "0.0000", "12345.7", "3e+07", "nan", ""]
