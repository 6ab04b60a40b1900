"""Jobs on a Ray cluster. Ray only starts processes: what they train comes back through the run folders."""

import importlib.util
import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from dltool.config.check import check
from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.exit_code import LOST
from dltool.core.process import python_command
from dltool.core.safe_path import SafePath
from dltool.search.assignment import Assignment
from dltool.search.job_file import write_job
from dltool.search.remote import Label, RemoteWorkers

JOB = "dltool.search.job_file"
STOPPED = 143
LOOK_SECONDS = 0.5  # Between two looks at the process of a job, and at the file that stops it.
NODE_FAILURES = 3  # After each of so many a job continues on another node.


class RayWorkers(RemoteWorkers[Label]):
    """Runs each job as a task of Ray, on a node with its GPUs and cores free.

    The cluster is that of RAY_ADDRESS, or the one that runs on this machine, or a new one of this machine alone.

    Args:
        key: The setting that chose it, for messages.
        count: Jobs that may run in parallel.
        folder: Of the search, which all nodes see at the same path.

    Raises:
        ConfigError: Ray is not installed, or does not answer.
    """

    def __init__(self, key: str, count: int, folder: Path) -> None:
        super().__init__(count)
        if importlib.util.find_spec("ray") is None:
            raise ConfigError(f"{key}=ray needs the package ray, which is not installed", install("ray"))
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        self.ray: Any = ray
        self.key = key
        self.folder = SafePath(folder, "launcher")
        self.folder.for_library()
        self.stop = self.folder / f"stop-{uuid.uuid4().hex[:8]}"
        self.warned = False
        try:
            if not ray.is_initialized():
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
        except Exception as error:  # Of many types.
            raise ConfigError(
                f"{key}=ray: {error}", "RAY_ADDRESS names the cluster; ray status says how it is"
            ) from error

    def start(self, label: Label, assignment: Assignment, slot: int) -> None:
        trainer = check(assignment.composed)["trainer"]
        wanted = self.resources(trainer)
        assignment = replace(assignment, cores=wanted["num_cpus"], slot=0, num_slots=1)
        task = self.ray.remote(max_retries=NODE_FAILURES, **wanted)(run_on_node)
        path = write_job(self.folder.path, assignment)
        reference = task.remote(str(path), str(self.stop.path.resolve()), str(Path.cwd()))
        self.running[slot] = (label, RayJob(self.ray, reference))

    def resources(self, trainer: dict[str, Any]) -> dict[str, int]:
        """What a job reserves on a node. Raises ConfigError for a number of devices that depends on the machine."""
        devices, threads = trainer["devices"], trainer["threads"]
        if devices == "auto":
            raise ConfigError(
                f"trainer.devices=auto with {self.key}=ray: Ray must know how many devices to reserve for a job",
                "trainer.devices=1",
            )
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        has_gpus = any(node.get("GPU", 0) for node in nodes)
        on_gpu = trainer["device"] == "cuda" or (trainer["device"] == "auto" and has_gpus)
        cores, gpus = devices * (1 if threads == "auto" else threads), devices if on_gpu else 0
        fits = any(node.get("CPU", 0) >= cores and node.get("GPU", 0) >= gpus for node in nodes)
        if not fits and not self.warned:
            self.warned = True
            needed = f"{cores} CPUs" + (f" and {gpus} GPUs" if gpus else "")
            print(f"warning: no node of the Ray cluster has {needed}; such jobs wait for one", file=sys.stderr)
        return {"num_cpus": cores, "num_gpus": gpus}

    def signal(self, signum: int) -> None:
        self.stop.write("")

    def close(self) -> None:
        self.stop.remove()
        self.ray.shutdown()


class RayJob:
    """A RemoteJob of Ray."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self.ray = ray
        self.reference = reference

    def exit_code(self) -> int | None:
        ready, _ = self.ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            code: int = self.ray.get(self.reference)
        except Exception:  # Its node failed too often.
            return LOST
        return code


def run_on_node(path: str, stop: str, folder: str) -> int:
    """Carry out an assignment in a process of this node; returns its exit code, as Popen gives it.

    Args:
        path: The assignment's file.
        stop: A file that exists when the job shall end.
        folder: The search's working directory.
    """
    if Path(stop).exists():
        return STOPPED
    # The process ends with its standard input, and so with this one.
    process = subprocess.Popen(python_command(JOB, path), stdin=subprocess.PIPE, cwd=folder)
    while process.poll() is None:
        if Path(stop).exists():
            process.terminate()
            return process.wait()
        time.sleep(LOOK_SECONDS)
    return process.returncode
