"""One job of a sweep, in the forked process that runs it."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from dataclasses import replace
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import torch

from dltool.config.check import Config, check
from dltool.config.rerun import compose_resume, with_auto
from dltool.config.tree import leaves
from dltool.core.errors import DltoolError
from dltool.core.notices import printed_warnings
from dltool.core.process import OUTPUT_ROOT, restart_clock
from dltool.engine.clock import Clock
from dltool.engine.device import available_cores
from dltool.engine.observer import Observer, Outcome, Progress
from dltool.observers.status_file import StatusFile
from dltool.runs.folder import CONFIG, RunFolder
from dltool.search.assignment import Assignment
from dltool.training.resume import resume
from dltool.training.train import train
from dltool.trust.importing import described


def run_job(assignment: Assignment) -> None:
    """Train one job in its own run folder, as a process of its own."""
    restart_clock()
    detach_from_terminal(assignment)
    with printed_warnings():
        run_assigned(assignment)


def run_assigned(assignment: Assignment) -> None:
    """Train one job; the process ends with its exit code."""
    sys.argv = ["dltool", *assignment.words]
    composed = assignment.composed
    composed.tree["run"] = {**composed.tree.get("run", {}), "dir": str(assignment.run_path)}
    composed.set_origin("run.dir", "the command line")
    config = check(composed)
    try:
        if assignment.resuming:
            run = RunFolder.open(str(assignment.run_path))
            config, built = compose_resume(run.path / CONFIG, [], run.read_auto())
            sys.exit(resume(run, config, share_machine(built, assignment)))
        built = share_machine(with_auto(config, assignment.auto, assignment.source), assignment)
        ended = train(
            config, built, monitored=assignment.monitored, observers=pruning(assignment), source=assignment.source
        )
        sys.exit(ended.exit_code)
    except DltoolError as error:
        print(error.report(), file=sys.stderr)
        record_failure(assignment.run_path, config.tree, error.message)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # Before the training handles signals: nothing is lost.
        sys.exit(130)
    except Exception as error:
        traceback.print_exc()
        record_failure(assignment.run_path, config.tree, described(error))
        sys.exit(1)


def pruning(assignment: Assignment) -> list[Observer]:
    """The observer with which a study ends its trial early."""
    if assignment.trial is None:
        return []
    from dltool.search.pruning import Pruning

    return [Pruning(assignment.trial.load(), assignment.trial.metric)]


def detach_from_terminal(assignment: Assignment) -> None:
    """Print to the log, ignore the terminal's Ctrl-C, and end when the sweep ends for any reason."""
    log = assignment.log.open(os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # The process from which this one was forked ignores it.
    sweep = parent_process()
    if sweep is not None:

        def end_with_sweep() -> None:
            sweep.join()
            os.kill(os.getpid(), signal.SIGTERM)  # Finishes the step and saves.

        threading.Thread(target=end_with_sweep, daemon=True).start()


def share_machine(config: Config, assignment: Assignment) -> Config:
    """Set `auto` threads and devices to this job's share of the machine, if several jobs run in parallel.

    A job with several devices sees its own GPUs only, as do the processes that it starts.
    """
    trainer = dict(config["trainer"])
    if assignment.cores is not None and trainer["threads"] == "auto":
        trainer["threads"] = max(1, assignment.cores // trainer["devices"])
    if assignment.num_slots == 1:
        return replace(config, tree={**config.tree, "trainer": trainer})
    visible = visible_gpus() if trainer["device"] in ("auto", "cuda") else []
    if trainer["devices"] == "auto":
        trainer["devices"] = max(1, len(visible) // assignment.num_slots)
    devices = trainer["devices"]
    if trainer["threads"] == "auto":
        trainer["threads"] = max(1, available_cores() // (assignment.num_slots * devices))
    first = assignment.slot * devices
    if devices == 1 and trainer["device"] == "auto" and len(visible) > 1:
        trainer["device"] = f"cuda:{first % len(visible)}"
    elif 1 < devices <= len(visible):
        own = [visible[(first + i) % len(visible)] for i in range(devices)]
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(own)  # Read when CUDA is initialized, which comes later.
    return replace(config, tree={**config.tree, "trainer": trainer})


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by number or name, as in CUDA_VISIBLE_DEVICES; CUDA is not initialized."""
    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return named[:count] if any(named) else [str(index) for index in range(count)]


def record_failure(path: Path, tree: dict[str, Any], error: str) -> None:
    """Create a run folder for a job that failed before it had one, so that its error is stored like the others'."""
    with contextlib.suppress(DltoolError, OSError):  # If it exists, its status.json has the error already.
        run = RunFolder.create(str(path), OUTPUT_ROOT, path.name)
        run.write_config(tree)
        StatusFile(run, dict(leaves(tree)), Clock(), Progress()).on_outcome(Outcome("failed", error=error))
        run.close()
