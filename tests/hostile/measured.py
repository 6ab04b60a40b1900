"""A command in a forked process that has bounds and records what it used."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from places import one_thread
from warm_process import run_words, warm

MB = 2**20
HANGS = 60.0  # Seconds of wall time; a loaded machine is slow.


@dataclass(frozen=True)
class Done:
    """How a command ended; `megabytes` above its beginning, `seconds` of the processor."""

    returncode: int
    stdout: str
    stderr: str
    megabytes: float
    seconds: float


def run_measured(words: Sequence[str], cwd: Path) -> Done:
    """Run `dltool WORDS` in a folder. Raises subprocess.TimeoutExpired if it hangs."""
    with tempfile.TemporaryDirectory() as scratch:
        outputs = [Path(scratch, name) for name in ("stdout", "stderr", "usage")]
        process = warm().Process(target=run_bounded, args=(words, cwd, one_thread(), outputs))
        process.start()
        process.join(HANGS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), HANGS)
        stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs[:2])
        usage = json.loads(outputs[2].read_text()) if outputs[2].exists() else {"megabytes": -1, "seconds": -1}
        return Done(int(process.exitcode), stdout, stderr, **usage)


def run_bounded(words: Sequence[str], cwd: Path, environment: dict[str, str], outputs: Sequence[Path]) -> None:
    sys.path[:] = [path for path in sys.path if path]  # As for the script `dltool`, which adds no working directory.
    before = peak()
    allowed = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + 4096 * MB
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * MB, 1024 * MB))
    try:
        run_words(words, cwd, environment, outputs[:2])
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        outputs[2].write_text(json.dumps({"megabytes": peak() - before, "seconds": used.ru_utime + used.ru_stime}))


def peak() -> float:
    """The largest resident size so far, in MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
