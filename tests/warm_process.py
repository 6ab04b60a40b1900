"""Runs the command line in a process of its own, forked from one that has imported torch already.

Importing torch and dltool takes two seconds; a test of what a command does need not pay for them. What a test says of
starting up or of the terminal takes `places.command` instead.
"""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import NoReturn
from unittest import mock

from places import one_thread

PRELOAD = ["warm_imports"]


@functools.cache
def warm() -> ForkServerContext:
    """The server that forks. It is started with one thread for torch, whose pool would not survive a fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    os.environ.update(one_thread())
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths))):
        forkserver.ensure_running()
    return context


class Command:
    """`dltool WORDS` in a forked process, from when it has begun until `wait` returns what it printed."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self.words = words
        self.folder = tempfile.TemporaryDirectory()
        self.outputs = [Path(self.folder.name, name) for name in ("stdout", "stderr")]
        for path in self.outputs:
            path.touch()  # Here, since a test may kill the process before it opens them.
        self.process = warm().Process(target=run_words, args=(words, cwd, one_thread(), self.outputs))
        self.process.start()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def ended(self) -> bool:
        return self.process.exitcode is not None

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def wait(self, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """What it printed, and its exit code, or minus the number of the signal that killed it.

        Raises:
            subprocess.TimeoutExpired: After `timeout` seconds, when the process is killed.
        """
        with self.folder:
            self.process.join(timeout)
            if self.process.exitcode is None:
                self.process.kill()
                self.process.join()
                raise subprocess.TimeoutExpired(self.words, timeout)
            stdout, stderr = (path.read_text(encoding="utf-8") for path in self.outputs)
            return subprocess.CompletedProcess(self.words, self.process.exitcode, stdout, stderr)


def run_dltool(*words: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """What `dltool WORDS` prints in a folder, and its exit code; see Command.wait."""
    return Command(*words, cwd=cwd).wait(timeout)


def run_words(words: Sequence[str], cwd: Path, environment: dict[str, str], outputs: Sequence[Path]) -> NoReturn:
    """What the forked process does: become `dltool WORDS`."""
    assert all(name in sys.modules for name in PRELOAD), "the server passes over what it cannot import"
    for descriptor, path in zip((1, 2), outputs, strict=True):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # The server ignores it, see dltool.search.preload.
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    use_this_server()
    sys.argv = ["dltool", *words]
    from dltool.cli.main import main
    from dltool.core.process import restart_clock

    restart_clock()
    sys.exit(main(list(words)))


def use_this_server() -> None:
    """Let the server that forked this process fork the jobs of a sweep too.

    A child has the server's address but not its process id, so `multiprocessing` would start a second one.
    """
    if forkserver._forkserver._forkserver_address is not None:
        forkserver._forkserver.ensure_running = forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
