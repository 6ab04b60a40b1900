"""Jobs in the queue of Slurm, or in processes of this machine, by submitit."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.exit_code import INTERRUPTED, LOST
from dltool.core.shell import setting
from dltool.search.assignment import Assignment
from dltool.search.job_file import run_job_file, write_job
from dltool.search.remote import Label, RemoteWorkers

COMMON = (  # The other settings are those of one kind of cluster.
    *("timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name"),
    "stderr_to_stdout",
)
QUEUE_SECONDS = 10.0  # Between two questions to Slurm, for all jobs.
RESULT_SECONDS = 10.0  # In which the result of a job that has ended appears in a network's file system.
CANCELLED = 143


class SubmititWorkers(RemoteWorkers[Label]):
    """Submits all jobs together, as one job array, and waits for their results.

    Args:
        name: "submitit_slurm" or "submitit_local".
        settings: All settings of Hydra's launcher, `hydra.launcher.*`.
        count: The number of jobs.
        folder: Where submitit stores its own files.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], count: int, folder: Path) -> None:
        super().__init__(count)
        self.name = name
        self.settings = settings
        self.folder = folder
        self.files: list[Path] = []
        for key in ("tasks_per_node", "nodes"):
            if settings[key] != 1:
                raise ConfigError(
                    f"hydra.launcher.{key}={settings[key]}: a job is one task on one machine, whose processes "
                    "dltool starts",
                    setting("trainer.devices", settings[key]),
                )

    def start(self, label: Label, assignment: Assignment, slot: int) -> None:
        self.files.append(write_job(self.folder, assignment))
        self.running[slot] = (label, None)

    def wait(self, timeout: float) -> list[tuple[Label, int]]:
        if self.files:
            jobs = self.submitted(self.files)
            self.running = {
                slot: (label, job) for (slot, (label, _)), job in zip(self.running.items(), jobs, strict=True)
            }
            self.files = []
        return super().wait(timeout)

    def signal(self, signum: int) -> None:
        for _, job in self.running.values():
            job.cancel()

    def submitted(self, files: Sequence[Path]) -> "list[SubmittedJob]":
        """The jobs that carry out the files.

        Raises:
            ConfigError: If the launcher refuses its settings or cannot run here.
        """
        import submitit

        cluster = self.name.removeprefix("submitit_")
        settings = {key: value for key, value in self.settings.items() if not key.startswith("_")}
        folder, retries = settings.pop("submitit_folder"), settings.pop("max_num_timeout", None)
        limits = {} if retries is None else {f"{cluster}_max_num_timeout": retries}
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster=cluster, **limits)
            executor.update_parameters(
                **{key if key in COMMON else f"{cluster}_{key}": value for key, value in settings.items()}
            )
            jobs = executor.map_array(run_job_file, files)
        except Exception as error:  # Of many types, from submitit and Slurm.
            raise ConfigError(
                f"hydra/launcher={self.name}: {error}", "check the launcher's settings, hydra.launcher.*"
            ) from error
        queue = Queue() if cluster == "slurm" else None
        return [SubmittedJob(job, queue) for job in jobs]


class SubmittedJob:
    """A RemoteJob of submitit.

    Args:
        job: submitit's.
        queue: That of Slurm; None for a process of this machine.
    """

    def __init__(self, job: Any, queue: "Queue | None") -> None:
        self.job = job
        self.queue = queue
        self.is_cancelled = False
        self.ended_at: float | None = None

    def exit_code(self) -> int | None:
        if self.job.paths.result_pickle.exists():
            try:
                code: int = self.job.result()
            except Exception:  # The job's own; its run folder and submitit's have the details.
                return 1
            if code not in INTERRUPTED or self.is_cancelled or not self.is_alive():
                return code
            return None  # Slurm stopped it and starts it again, which replaces its result.
        if self.is_alive():
            self.ended_at = None
            return None
        self.ended_at = self.ended_at or time.monotonic()
        if time.monotonic() - self.ended_at < RESULT_SECONDS:
            return None
        return CANCELLED if self.is_cancelled else LOST

    def is_alive(self) -> bool:
        return not self.job.done() if self.queue is None else self.queue.has(self.job.job_id)

    def cancel(self) -> None:
        self.is_cancelled = True
        self.job.cancel(check=False)


class Queue:
    """The jobs that wait or run in Slurm, by squeue: sacct, which submitit asks, needs an accounting service."""

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.known: set[str] | None = None  # None: Slurm has not answered yet.

    def has(self, job_id: str) -> bool:
        """Whether a job waits or runs, at the last answer of Slurm; True without one."""
        if time.monotonic() - self.asked_at > QUEUE_SECONDS:
            self.asked_at = time.monotonic()
            asked = subprocess.run(
                ["squeue", "--me", "--noheader", "--array", "--format=%i"], capture_output=True, text=True, check=False
            )
            if asked.returncode == 0:
                self.known = set(asked.stdout.split())
        return self.known is None or job_id in self.known
