"""Every command of README and of the manual is executed, page by page, each in an empty folder: `pytest -m manual`.

Commands that the shell need not interpret are forked from a warm process; the others are executed by bash.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from documents import DOCUMENTS, Fence, fences
from places import one_thread
from warm_process import run_dltool

pytestmark = pytest.mark.manual

SHELL = re.compile(r"[|&;<>$`]")  # Outside of quotes, these need a shell.
PAGES = [topic for topic, path in DOCUMENTS.items() if any(f.language in ("bash", "python") for f in fences(path))]
LIMIT_SECONDS = 120  # For one command.


@pytest.mark.parametrize("topic", PAGES)
def test_the_commands_of(topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    folder = tmp_path
    for fence in fences(DOCUMENTS[topic]):
        place = f"{topic}:{fence.line}"
        if "not run" in fence.options:
            assert fence.options["not run"].strip()
        elif "file" in fence.options:
            path = folder / fence.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
        elif fence.language == "setup":
            run_shell(fence.text, folder, place, 0)
        elif fence.language == "bash":
            folder = run_fence(fence, folder, place)
        elif fence.language == "python":
            monkeypatch.chdir(folder)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(fence.text, place, "exec"), names)


def run_fence(fence: Fence, folder: Path, place: str) -> Path:
    """Execute the commands in a folder; returns the folder that `cd` has changed to."""
    added = shlex.split(fence.options.get("with", ""))
    expected = int(fence.options.get("exit", "0"))
    for line in fence.commands():
        started = time.monotonic()
        words = shlex.split(line)
        if words[0] == "cd":
            folder = (folder / words[1]).resolve()
        elif SHELL.search(re.sub(r"'[^']*'|\"[^\"$`]*\"", "", line)) or words[0] != "dltool":
            assert not (added and re.search("dltool (train|tune)", line)), f"{place}: words cannot be added to {line}"
            run_shell(line, folder, place, expected)
        else:
            more = added if words[1] in ("train", "tune") else []
            done = run_dltool(*words[1:], *more, cwd=folder, timeout=LIMIT_SECONDS)
            assert done.returncode == expected, f"{place}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        print(f"{time.monotonic() - started:6.1f} s  {place}  {line}")
    return folder


def run_shell(line: str, folder: Path, place: str, expected: int) -> None:
    """Execute a line by bash, in which `dltool` and `python` are those of this environment."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env={**one_thread(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == expected, f"{place}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
