"""Runs the command line in a process of its own, forked from one that has imported torch already.

Importing torch and dltool takes two seconds; a test of what a command does need not pay for them. What a test says of
starting up, of signals or of the terminal takes `places.command` instead.
"""

import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import NoReturn

from places import one_thread

PRELOAD = ["warm_imports"]


@functools.cache
def warm() -> ForkServerContext:
    """The server that forks. It is started with one thread for torch, whose pool would not survive a fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    os.environ.update(one_thread())
    return context


def run_dltool(*words: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """What `dltool WORDS` prints in a folder, and its exit code.

    Raises:
        subprocess.TimeoutExpired: After `timeout` seconds, when the process is killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = warm().Process(target=run_words, args=(words, cwd, one_thread(), outputs))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs)
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def run_words(words: Sequence[str], cwd: Path, environment: dict[str, str], outputs: Sequence[Path]) -> NoReturn:
    """What the forked process does: become `dltool WORDS`."""
    for descriptor, path in zip((1, 2), outputs, strict=True):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
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
