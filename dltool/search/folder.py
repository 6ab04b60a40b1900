"""A sweep is a folder: its settings, and a run folder for each of its jobs.

sweep.json         the command line, and every job with its complete config
sweep.csv          a row per job: its values, its state, its metrics
<job>/             the run folder of a job
logs/<job>.txt     what the job printed
"""

import json
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dltool.core.addresses import without_secrets
from dltool.core.errors import ConfigError
from dltool.core.exit_code import INTERRUPTED, describe_exit
from dltool.core.numerals import counted
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import malformed, read_json, understood
from dltool.core.shell import quoted
from dltool.runs.folder import CONFIG, STATUS, SWEEP, RunFolder, as_json, make_dated
from dltool.runs.lock import FolderLock
from dltool.search.grid import Job

DONE = ("finished", "pruned")  # These are never run again.
MAX_SWEEP_BYTES = 128 * 2**20  # 10,000 jobs.
STOPPED = (*INTERRUPTED, -signal.SIGINT, -signal.SIGTERM)  # The exit codes of a job that a signal ended.


@dataclass(frozen=True)
class Result:
    """The state of a job, read from its run folder.

    Attributes:
        state: "waiting" without a folder, "pruned" if a study ended it; else that of its status.json.
        main_metric: The metric that the job's task monitors and "min" or "max"; None if it has none.
        total_steps: Steps of the complete training.
        parameters: Of its model; None if unknown.
        config: Its complete config, with dotted keys.
    """

    job: Job
    path: Path
    state: str
    step: int = 0
    epoch: int = 0
    metrics: Mapping[str, float] | None = None
    seconds: float = 0.0
    stopped_by: str | None = None
    error: str | None = None
    main_metric: tuple[str, str] | None = None
    total_steps: int = 0
    parameters: int | None = None
    config: Mapping[str, Any] | None = None


class JobFolder:
    """A folder with a run folder for each of its jobs.

    Attributes:
        path: The folder.
        jobs: The jobs known so far, by number.
        settled: Final results, by number, so that no folder is read again for them.
    """

    def __init__(self, path: Path, jobs: Sequence[Job] = ()) -> None:
        self.path = path
        self.jobs = list(jobs)
        self.settled: dict[int, Result] = {}

    def run_path(self, job: Job) -> Path:
        return self.path / job.name

    def log_path(self, job: Job) -> Path:
        return self.path / "logs" / f"{job.name}.txt"

    def make_log(self, job: Job) -> Path:
        """Create the log file of a job's process, so that errors with it occur here."""
        SafePath(self.path, "logs", f"{job.name}.txt").append().close()
        return self.log_path(job)

    def result(self, job: Job) -> Result:
        """The current state of a job."""
        if job.number in self.settled:
            return self.settled[job.number]
        result = self.read_result(job)
        if result.state in DONE:
            self.settled[job.number] = result
        return result

    def read_result(self, job: Job) -> Result:
        """The current content of a job's run folder."""
        path = self.run_path(job)
        status = read_json(path / STATUS)
        if not status:
            return Result(job, path, "waiting")
        with understood(path / STATUS):
            return result_of(job, path, status)

    def results(self) -> list[Result]:
        return [self.result(job) for job in self.jobs]

    def settle(self, job: Job, exit_code: int) -> Result:
        """A job's result after its process has ended, with the errors that the process could not record itself."""
        result = self.read_result(job)
        if result.state == "waiting" and exit_code not in (0, *STOPPED):  # It ended before it had a folder.
            result = replace(result, state="failed", error=describe_exit(exit_code))
        if result.state == "running":
            run = RunFolder(result.path)
            if exit_code in STOPPED:  # Before the training handled signals.
                ended = {"state": "interrupted"}
            else:
                ended = {"state": "failed", "error": describe_exit(exit_code)}
            run.write_status({**run.read_status(), **ended})
            result = self.read_result(job)
        self.settled[job.number] = result
        return result


def result_of(job: Job, path: Path, status: Mapping[str, Any]) -> Result:
    """The state of a job by the content of its status.json."""
    metric = status.get("main_metric")
    return Result(
        job,
        path,
        "pruned" if status["state"] == "finished" and status["stopped_by"] == "pruned" else status["state"],
        int(status["step"]),
        int(status["epoch"]),
        {str(name): value for name, value in status["metrics"].items()},
        float(status["seconds"]["total"]),
        status["stopped_by"],
        status["error"],
        (metric[0], metric[1]) if metric else None,
        int(status["total_steps"]),
        status.get("parameters"),
        status.get("config"),
    )


class SweepFolder(JobFolder):
    """The folder of a sweep, locked by one process at a time."""

    def __init__(self, path: Path, jobs: Sequence[Job]) -> None:
        super().__init__(path, jobs)
        self.lock = FolderLock(path)

    @classmethod
    def open(
        cls,
        directory: str | None,
        root: Path,
        jobs: Sequence[Job],
        configs: Sequence[Mapping[str, Any]],
        command: Sequence[str],
    ) -> "SweepFolder":
        """Create a new folder, or continue in that of the same sweep; locks it.

        Args:
            directory: `sweep.dir`; None creates root/<date>/<time>_sweep.
            root: The parent of folders without a name.
            jobs: Every job.
            configs: The complete config of each job, in the same order, with dotted keys.
            command: The command as typed.

        Raises:
            ConfigError: If the folder contains something else (with the difference), is in use by
                another process, or is not writable.
        """
        try:
            if directory is None:
                path = make_dated(root, "sweep")
            else:
                path = Path(directory).expanduser()
                path.mkdir(parents=True, exist_ok=True)
            sweep = cls(path, jobs)
            sweep.lock.hold("is at work on the sweep in")
        except OSError as error:
            target = Path(directory) if directory else root
            raise ConfigError(
                f"the sweep's folder cannot be created in {target.resolve()}: {error.strerror}",
                "sweep.dir=FOLDER names a writable one",
            ) from error
        if (path / SWEEP).exists():
            sweep.jobs = same_jobs(path, jobs, configs)
        elif any(entry.name != ".lock" for entry in path.iterdir()):
            (path / ".lock").unlink()
            raise ConfigError(f"sweep.dir={directory} is not a sweep folder ({path.resolve()})", "a new one")
        else:
            described = [
                {"number": job.number, "overrides": job.overrides, "swept": job.swept, "config": config}
                for job, config in zip(jobs, configs, strict=True)
            ]
            SafePath(path, SWEEP).write(as_json({"command": list(command), "jobs": described}))
        SafePath(path, "logs").make()
        return sweep

    def unfinished(self) -> list[Job]:
        return [result.job for result in self.results() if result.state not in DONE]


def clear_unless_saved(path: Path) -> bool:
    """Whether a run folder has a checkpoint to continue from; if not, the incomplete folder is removed.

    Raises:
        ConfigError: Another process uses it.
    """
    if (path / CONFIG).exists() and any((path / "checkpoints").glob("step-*")):
        return True
    if path.exists():
        run = RunFolder(path)
        run.hold()  # Not while another process uses it.
        shutil.rmtree(path)
        run.close()
    return False


def same_jobs(path: Path, jobs: Sequence[Job], configs: Sequence[Mapping[str, Any]]) -> list[Job]:
    """The jobs with their numbers in the folder.

    Raises:
        ConfigError: If the folder has another sweep; the message names the values that differ.
    """
    with understood(path / SWEEP):
        saved = read_json(path / SWEEP, MAX_SWEEP_BYTES)["jobs"]
        stored = {identity(dict(entry["config"])): entry for entry in saved}
        if any(not isinstance(entry["swept"], dict) or not isinstance(entry["number"], int) for entry in saved):
            raise malformed(path / SWEEP, "a job has no number")
    asked = {identity(config): job for job, config in zip(jobs, configs, strict=True)}
    if stored.keys() == asked.keys():
        known = [replace(asked[key], number=entry["number"], swept=entry["swept"]) for key, entry in stored.items()]
        return sorted(known, key=lambda job: job.number)
    here, there = values_of(configs), values_of([entry["config"] for entry in stored.values()])
    combination = f"it has {counted(len(stored), 'job')}, this one {len(jobs)}, in other combinations"
    raise ConfigError(
        f"{path.resolve()} contains another sweep: {differences(there, here) or combination}",
        f"repeat its command to continue (it is in {quoted(path / SWEEP)}), or name a new sweep.dir",
    )


def identity(config: Mapping[str, Any]) -> str:
    """The config as text, without passwords in addresses: sweep.json has none."""
    return without_secrets(json.dumps(config, sort_keys=True, default=str))


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The first three keys that differ between two searches; empty if none does."""
    keys = [key for key in sorted({**before, **now}) if before.get(key) != now.get(key)]
    words = [f"{key} was {before.get(key, 'not set')}, now {now.get(key, 'not set')}" for key in keys[:3]]
    more = f" (and {len(keys) - 3} more keys)" if len(keys) > 3 else ""
    return "; ".join(words) + more


def values_of(configs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Key to its values over the jobs, in order: "0.1 and 0.01"."""
    values: dict[str, dict[str, None]] = {}
    for config in configs:
        for key, value in config.items():
            values.setdefault(key, {})[json.dumps(value, ensure_ascii=False, default=str)] = None
    return {key: " and ".join(seen) for key, seen in values.items()}
