"""A sweep is a folder: what it tries, and a run folder for each of its jobs.

sweep.json         the command line, and every job with its complete config
sweep.csv          a row per job: its values, its state, what it measured
<job>/             the run folder of a job
logs/<job>.txt     what the job printed
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted
from dltool.runs.folder import CONFIG, STATUS, SWEEP, RunFolder, make_dated, read_json
from dltool.runs.lock import FolderLock
from dltool.search.grid import Job
from dltool.search.workers import describe_exit

DONE = ("finished", "pruned")  # Never run again.


@dataclass(frozen=True)
class Result:
    """How far a job has come, read from its run folder.

    Attributes:
        state: "waiting" without a folder, "pruned" where a study ended it; else that of its status.json.
        main_metric: The metric that the job's task follows and "min" or "max"; None where it has none.
        total_steps: Steps of the whole training.
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


class JobFolder:
    """A folder with a run folder for each of its jobs.

    Attributes:
        path: The folder.
        jobs: The jobs that are known so far, by number.
        settled: Results that will not change any more, by number, so that no folder is read again for them.
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
        """Make the file that a job's process will print to, so that what is wrong with it is found here."""
        SafePath(self.path, "logs", f"{job.name}.txt").append().close()
        return self.log_path(job)

    def result(self, job: Job) -> Result:
        """How far a job has come."""
        if job.number in self.settled:
            return self.settled[job.number]
        result = self.read_result(job)
        if result.state in DONE:
            self.settled[job.number] = result
        return result

    def read_result(self, job: Job) -> Result:
        """What a job's run folder says now."""
        path = self.run_path(job)
        status = read_json(path / STATUS)
        if not status:
            return Result(job, path, "waiting")
        metric = status.get("main_metric")
        return Result(
            job,
            path,
            "pruned" if status["state"] == "finished" and status["stopped_by"] == "pruned" else status["state"],
            status["step"],
            status["epoch"],
            status["metrics"],
            status["seconds"]["total"],
            status["stopped_by"],
            status["error"],
            (metric[0], metric[1]) if metric else None,
            status["total_steps"],
        )

    def results(self) -> list[Result]:
        return [self.result(job) for job in self.jobs]

    def settle(self, job: Job, exit_code: int) -> Result:
        """A job's result once its process has ended; what it could not write down itself is added."""
        result = self.read_result(job)
        if result.state == "running":
            run = RunFolder(result.path)
            run.write_status({**run.read_status(), "state": "failed", "error": describe_exit(exit_code)})
            result = self.read_result(job)
        self.settled[job.number] = result
        return result


class SweepFolder(JobFolder):
    """The folder of a sweep, held by one process at a time."""

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
        """Make a new folder, or go on in that of the very same sweep; holds it.

        Args:
            directory: `sweep.dir`; None makes root/<date>/<time>_sweep.
            root: Where folders without a name go.
            jobs: Every job.
            configs: In the same order the complete config of each, with dotted keys.
            command: What was typed.

        Raises:
            ConfigError: Where the folder holds something else (with the difference), is being worked on by
                another process, or cannot be written.
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
                f"the sweep's folder cannot be made in {target.resolve()}: {error.strerror}",
                "sweep.dir=FOLDER names one that can be written",
            ) from error
        if (path / SWEEP).exists():
            sweep.jobs = same_jobs(path, jobs, configs)
        elif any(entry.name != ".lock" for entry in path.iterdir()):
            (path / ".lock").unlink()
            raise ConfigError(f"sweep.dir={directory} holds something that is no sweep ({path.resolve()})", "a new one")
        else:
            described = [
                {"number": job.number, "overrides": job.overrides, "swept": job.swept, "config": config}
                for job, config in zip(jobs, configs, strict=True)
            ]
            text = json.dumps({"command": list(command), "jobs": described}, indent=1, ensure_ascii=False)
            SafePath(path, SWEEP).write(text + "\n")
        SafePath(path, "logs").make()
        return sweep

    def unfinished(self) -> list[Job]:
        return [result.job for result in self.results() if result.state not in DONE]

    def clear_unless_saved(self, job: Job) -> bool:
        """Whether a job has a checkpoint to go on from; where not, what there is of its folder is removed."""
        path = self.run_path(job)
        if (path / CONFIG).exists() and any((path / "checkpoints").glob("step-*")):
            return True
        if path.exists():
            run = RunFolder(path)
            run.hold()  # Not while somebody else is at it.
            shutil.rmtree(path)
            run.close()
        return False


def same_jobs(path: Path, jobs: Sequence[Job], configs: Sequence[Mapping[str, Any]]) -> list[Job]:
    """The jobs with the numbers that they have in the folder.

    Raises:
        ConfigError: Where the folder's sweep is another one; the message says which values differ.
    """
    stored = {identity(entry["config"]): entry for entry in read_json(path / SWEEP)["jobs"]}
    asked = {identity(config): job for job, config in zip(jobs, configs, strict=True)}
    if stored.keys() == asked.keys():
        known = [replace(asked[key], number=entry["number"], swept=entry["swept"]) for key, entry in stored.items()]
        return sorted(known, key=lambda job: job.number)
    here, there = values_of(configs), values_of([entry["config"] for entry in stored.values()])
    combination = f"it has {len(stored)} jobs, this one {len(jobs)}, in another combination"
    raise ConfigError(
        f"{path.resolve()} holds another sweep: {differences(there, here) or combination}",
        f"repeat its command to go on (it is in {quoted(path / SWEEP)}), or name a new sweep.dir",
    )


def identity(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What differs between two searches, the first three keys of it; empty where nothing does."""
    keys = [key for key in sorted({**before, **now}) if before.get(key) != now.get(key)]
    words = [f"{key} was {before.get(key, 'not set')}, now {now.get(key, 'not set')}" for key in keys[:3]]
    more = f" (and {len(keys) - 3} more keys)" if len(keys) > 3 else ""
    return "; ".join(words) + more


def values_of(configs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Key to the values that it takes over the jobs, in order: "0.1 and 0.01"."""
    values: dict[str, dict[str, None]] = {}
    for config in configs:
        for key, value in config.items():
            values.setdefault(key, {})[json.dumps(value, ensure_ascii=False, default=str)] = None
    return {key: " and ".join(seen) for key, seen in values.items()}
