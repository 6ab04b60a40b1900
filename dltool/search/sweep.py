"""`dltool train -m`: every job of a grid, a few in parallel, in a folder that records which are finished."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltool.config.compose import Composed
from dltool.config.trusted_code import trusted_code
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.process import OUTPUT_ROOT, command
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted, setting
from dltool.search.assignment import Assignment
from dltool.search.display import JobsDisplay, output_console
from dltool.search.folder import Result, SweepFolder, clear_unless_saved
from dltool.search.grid import Job
from dltool.search.launchers import launch, submitit_workers
from dltool.search.leaderboard import (
    REPEATS,
    Standing,
    leaderboard,
    ranking_metric,
    same_meaning,
    shared_ranking,
    standings,
    write_csv,
)
from dltool.search.same_data import data_warning
from dltool.search.search_page import write_report
from dltool.search.settings import SweepSettings
from dltool.search.workers import Workers


@dataclass(frozen=True)
class Training:
    """The training of a job.

    Attributes:
        composed: Its checked config.
        config: The same, complete, with dotted keys.
        auto, source: With --from RUN, the value of each `auto` in that run, and its config's path.
    """

    composed: Composed
    config: dict[str, Any]
    auto: dict[str, Any]
    source: Path


class Sweep:
    """A sweep in its folder.

    Args:
        jobs: All jobs of the sweep.
        trainings: The training of each job, in the same order.
        words: Arguments of a job's command besides overrides, such as ("--from", "RUN").
        launcher: One of Hydra's launchers and its settings, to run the jobs instead of our own processes.
        quiet: Print only the folder.

    Raises:
        ConfigError: See SweepFolder.open.
    """

    def __init__(
        self,
        settings: SweepSettings,
        jobs: Sequence[Job],
        trainings: Sequence[Training],
        *,
        words: Sequence[str] = (),
        launcher: tuple[str, list[str]] | None = None,
        quiet: bool = False,
    ) -> None:
        self.settings = settings
        self.words = tuple(words)
        self.launcher = launcher
        self.quiet = quiet
        self.trainings = {job.overrides: training for job, training in zip(jobs, trainings, strict=True)}
        self.workers: Workers[Job] = Workers(settings.n_jobs)
        configs = [training.config | trusted_code() for training in trainings]
        self.folder = SweepFolder.open(settings.dir, OUTPUT_ROOT, jobs, configs, command())
        self.exit_codes: list[int] = []

    def run(self) -> int:
        """Run the unfinished jobs, and rank the results; returns the exit code of run_jobs."""
        code = self.run_jobs()
        if self.quiet:
            write_report(self.folder.path)
            print(self.folder.path)
        else:
            self.print_ranking()
            self.draw()
            for line in write_report(self.folder.path):
                print(line)
            print(f"sweep      {quoted(self.folder.path)}, with sweep.csv and a run folder per job")
            if code:
                again = setting("sweep.dir", self.folder.path)
                print(f"the rest   the same command with {again} runs the unfinished jobs")
        return code

    def run_jobs(self) -> int:
        """Run the unfinished jobs; returns the exit code.

        0 if all jobs are finished, 1 if one has failed or was interrupted, 2 if none could begin because of its
        configuration or data, 130 or 143 after a signal: the jobs that ran have saved their progress.
        """
        waiting = self.folder.unfinished()
        try:
            if self.launcher is not None and self.launcher[0] == "joblib":
                signum = None
                self.run_by_launcher(waiting, *self.launcher)
            else:
                signum = self.run_by_workers(waiting)
        finally:
            self.folder.lock.release()
        self.write_csv()
        results = self.folder.results()
        failed = [result for result in results if result.state == "failed"]
        for result in failed:
            log = quoted(self.folder.log_path(result.job))
            print(f"failed: {result.job.name}: {result.error} (its log: {log})", file=sys.stderr)
        if signum is not None:
            return 128 + signum
        stopped = [result.job.name for result in results if result.state == "interrupted"]  # One by one, from outside.
        for name in stopped:
            print(f"interrupted: {name}: the same command continues it", file=sys.stderr)
        none_began = len(failed) == len(results) and set(self.exit_codes) == {2}
        return 0 if not failed and not stopped else 2 if none_began else 1

    def run_by_workers(self, waiting: list[Job]) -> int | None:
        """Run each job in a process here or elsewhere; returns the signal that ended it early."""
        if self.launcher is not None and waiting:
            self.workers = submitit_workers(*self.launcher, self.folder.path / "launcher", len(waiting))
        elif self.settings.cluster == "ray":
            from dltool.search.ray_jobs import RayWorkers

            self.workers = RayWorkers("sweep.cluster", self.settings.n_jobs, self.folder.path)
        display = JobsDisplay(self.folder, len(waiting), quiet=self.quiet)
        total = len(self.folder.jobs)
        done = f", {total - len(waiting)} of them finished already" if len(waiting) < total else ""
        by = f", passed to {self.launcher[0]}" if self.launcher is not None else ""
        display.say(f"{counted(total, 'job')} in {self.folder.path}{done}{by}")

        def begin(slot: int) -> bool:
            if waiting:
                job = waiting.pop(0)
                self.workers.start(job, self.assignment(job, slot % self.settings.n_jobs), slot)
            return bool(waiting)

        def end(job: Job, exit_code: int) -> None:
            self.exit_codes.append(exit_code)
            display.ended(self.folder.settle(job, exit_code))
            self.write_csv()

        with display:
            return self.workers.run(begin, end, display, "the running jobs save their progress")

    def run_by_launcher(self, waiting: list[Job], name: str, settings: Sequence[str]) -> None:
        """Run the jobs by one of Hydra's launchers, which reports nothing until all jobs have ended."""
        slots = self.settings.n_jobs
        print(f"{counted(len(waiting), 'job')} in {self.folder.path}, passed to {name}", file=sys.stderr)
        assignments = [self.assignment(job, i % slots) for i, job in enumerate(waiting)]
        self.exit_codes = launch(name, settings, self.folder.path / "launcher", assignments) if waiting else []
        for job, code in zip(waiting, self.exit_codes, strict=True):
            self.folder.settle(job, code)

    def assignment(self, job: Job, slot: int) -> Assignment:
        """The input of a job's process: it continues from its checkpoint if there is one."""
        training = self.trainings[job.overrides]
        return Assignment(
            words=("train", *self.words, *job.overrides),
            composed=training.composed,
            auto=training.auto,
            source=training.source,
            run_path=self.folder.run_path(job),
            log_path=self.folder.make_log(job),
            resuming=clear_unless_saved(self.folder.run_path(job)),
            slot=slot,
            num_slots=self.settings.n_jobs,
            monitored=("sweep.metric", self.settings.metric),
        )

    def write_csv(self) -> None:
        try:
            write_csv(self.folder.path / "sweep.csv", self.folder.results())
        except OSError as error:
            print(f"warning: sweep.csv could not be written: {error.strerror}", file=sys.stderr)

    def draw(self) -> None:
        """Draw the figures that overlay the jobs' diagnostics, such as the paths of several optimizers."""
        if {training.config.get("diagnostics.name", "none") for training in self.trainings.values()} == {"none"}:
            return
        from dltool.plotting.runs import draw_together

        finished = [result.job for result in self.folder.results() if result.state == "finished"]
        folder = SafePath(self.folder.path, "plots")
        for name in draw_together([self.folder.run_path(job) for job in finished], folder):
            print(f"figure     {quoted(folder.path / name)}")

    def print_ranking(self) -> None:
        results = self.folder.results()
        if not any(result.state == "finished" for result in results):
            return
        try:
            ranking = ranking_metric(results, self.settings.metric, self.settings.mode)
        except ConfigError as error:
            print(f"warning: the jobs are not ranked: {error.message} ({error.hint})", file=sys.stderr)
            return
        if ranking is None:
            return
        if warning := data_warning(results):
            print(f"warning: {warning}", file=sys.stderr)
        metric = ranking[0]
        groups = same_meaning(results, metric)
        if len(groups) == 1:
            self.print_leaderboard(results, *ranking)
            return
        meanings = "; ".join(groups)
        shared = None if self.settings.metric else shared_ranking(results, metric)
        if shared is not None:
            print(f"{metric} has different definitions ({meanings}): ranked by {shared[0]} instead")
            self.print_leaderboard(results, *shared)
            return
        print(f"{metric} has different definitions ({meanings}): ranked within each, not between them")
        for meaning, members in groups.items():
            print(f"\n{meaning}")
            self.print_leaderboard(members, *ranking)

    def print_leaderboard(self, results: Sequence[Result], metric: str, direction: str) -> None:
        """Print the settings of results in which the metric has one meaning, and the command of the best."""
        ranked = standings(results, metric, direction)
        output_console(width=200).print(leaderboard(ranked, metric, direction))
        best = ranked[0]
        if not best.values:
            print(f"no job has reported {metric}")
        elif best.swept:
            print(f"best       dltool {self.best_command(best)}")

    def best_command(self, best: Standing) -> str:
        """The command of the best setting, without the seed and the fold, which the user chooses."""
        overrides = [text for text in best.results[0].job.overrides if text.partition("=")[0] not in REPEATS]
        return quoted("train", *self.words, *overrides)
