"""The doctor finds what is broken, and never breaks itself."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from places import REPOSITORY, command, one_thread

from dltool.doctor import folders as folders_module
from dltool.doctor import machine, software
from dltool.doctor.devices import devices, ending
from dltool.doctor.finding import Finding, as_size
from dltool.doctor.folders import folders, writable

Run = Callable[..., subprocess.CompletedProcess[str]]


def doctor(cwd: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("doctor", *words), cwd=cwd, capture_output=True, text=True, timeout=120, env=one_thread() | environment
    )


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_here_all_is_well(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", PYTHONIOENCODING="ascii")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], done.stderr) == (0, True, "")
    found = {one["name"]: one for one in report["findings"]}
    assert {"dltool", "python", "platform", "processors", "memory", "threads", "output root"} <= set(found)
    assert found["cpu computes"]["level"] == "ok"
    assert found["encoding"]["level"] == "note"
    assert not list(tmp_path.iterdir())  # Looking leaves nothing behind.


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ImportError('libcudart.so.13: cannot open')", "cannot be imported: ImportError: libcudart.so.13"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "ended by SIGILL"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("x = 1", "AttributeError"),  # A file of the user's that is called torch.py.
    ],
)
def test_a_broken_torch_is_a_finding(tmp_path: Path, source: str, told: str) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text(source, encoding="utf-8")
    done = doctor(tmp_path, PYTHONPATH=os.pathsep.join([str(broken), str(REPOSITORY)]))
    assert (done.returncode, done.stderr) == (1, "")
    assert told in done.stdout
    assert "pip install --force-reinstall" in done.stdout
    assert "output root" in done.stdout  # It goes on.


def test_an_output_root_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert by_name(list(folders()))["output root"].level in ("ok", "note")
    (tmp_path / "outputs").touch()
    finding = by_name(list(folders()))["output root"]
    assert finding.level == "problem"
    assert "Not a directory" in finding.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders_module.tempfile, "TemporaryFile", lambda dir: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    finding = writable("output root", tmp_path, "elsewhere")
    assert finding.level == "problem"
    assert "the disk is full" in finding.text


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert [finding.level for finding in folders()] == ["problem"]


def test_a_missing_and_an_old_package(monkeypatch: pytest.MonkeyPatch) -> None:
    extras = ['optuna<6,>=5; extra == "tune"', 'dltool-torch[tune]; extra == "test"']
    lines = ["torch>=2.10", "hydra-core<1.4,>=1.3.8", *extras]
    versions = {"torch": None, "hydra-core": "1.4.0", "optuna": None}
    monkeypatch.setattr(software.metadata, "requires", lambda name: lines)
    monkeypatch.setattr(software, "installed", versions.get)
    found = by_name(list(software.software()))
    assert found["torch"].hint == "pip install 'torch>=2.10'"
    assert (found["torch"].level, found["hydra-core"].level) == ("problem", "problem")
    assert found["tune"] == Finding(
        "extras", "tune", "note", "not installed: optuna; for dltool tune", 'pip install "dltool-torch[tune]"'
    )
    assert "test" not in found


def test_says_what_each_extra_is_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]) <= set(software.PURPOSES)


def test_the_limits_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/memory.max": "max\n",
        "/sys/fs/cgroup/a/memory.max": str(2**31),
        "/sys/fs/cgroup/a/b/memory.current": str(2**31 - 2**29),
        "/sys/fs/cgroup/a/cpu.max": "150000 100000",
        "/proc/meminfo": f"MemTotal: {2**24} kB\nMemAvailable: {2**23} kB\n",
    }
    monkeypatch.setattr(machine, "read", lambda path: files.get(str(path), ""))
    assert machine.cores_of_control_group() == 1.5
    finding = machine.memory()
    assert finding.text == "16.0 GiB, limited by the control group to 2.0 GiB; 512 MiB free"
    assert finding.level == "note"


def test_how_a_process_ended() -> None:
    assert ending(0, "warning") is None
    assert ending(1, "Traceback\n  line\nValueError: x\n") == "ValueError: x"
    assert ending(-9, "") == "the process that imports it was ended by SIGKILL"


def test_without_a_python_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert [finding.level for finding in devices()] == ["problem"]


def test_sizes() -> None:
    assert [as_size(n) for n in (3, 2**11, 2**21, 2**31, 2**41)] == ["3 B", "2 KiB", "2 MiB", "2.0 GiB", "2048.0 GiB"]
