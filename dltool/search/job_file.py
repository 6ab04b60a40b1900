"""An assignment as a file, for a process on any machine that sees the same folders."""

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

from dltool.config.compose import Composed
from dltool.config.trusted_code import record_of, reread
from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.runs.lock import is_held
from dltool.search.assignment import Assignment
from dltool.search.carry_out import carry_out, refuse
from dltool.search.folder import clear_unless_saved

SAVING_SECONDS = 30.0  # For an earlier process of the same job, such as one on a machine that failed, to end.


def write_job(folder: Path, assignment: Assignment) -> Path:
    """Write an assignment into a folder; returns the file."""
    content = asdict(assignment) | {"trusted": [record_of(source) for source in assignment.trusted]}
    file = SafePath(folder, f"{assignment.run_path.name}.json")
    file.write(json.dumps(content, default=str))
    return file.path.resolve()


def run_job_file(path: Path) -> int:
    """Carry out the assignment in a file; returns the exit code.

    It continues from the job's checkpoint if there is one, as a cluster may start a job again.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    paths = {key: Path(content[key]) for key in ("source", "run_path", "log_path")}
    composed = Composed(**content.pop("composed"))
    words, monitored, trusted = tuple(content.pop("words")), tuple(content.pop("monitored")), content.pop("trusted")
    if content["trial"] is not None:
        from dltool.search.study import TrialLink

        content["trial"] = TrialLink(**content["trial"])
    assignment = Assignment(**content | paths, composed=composed, words=words, monitored=monitored)
    try:
        assignment = replace(assignment, trusted=tuple(reread(trusted)))
        wait_for_earlier(assignment.run_path)
        carry_out(replace(assignment, resuming=clear_unless_saved(assignment.run_path)))
    except ConfigError as error:  # The user's own code has changed, or another process runs the job.
        return refuse(assignment, error)
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0


def wait_for_earlier(run_path: Path) -> None:
    """Wait a while for another process to leave the run folder."""
    deadline = time.monotonic() + SAVING_SECONDS
    while run_path.exists() and is_held(run_path) and time.monotonic() < deadline:
        time.sleep(0.2)


def end_with_input() -> None:
    """Stop the training, with a checkpoint, when the standard input ends: the process that started this one is gone."""

    def wait_for_end() -> None:
        while os.read(0, 1):  # Not sys.stdin, which could not be closed while a thread reads it.
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, daemon=True).start()


if __name__ == "__main__":
    end_with_input()
    sys.exit(run_job_file(Path(sys.argv[1])))
