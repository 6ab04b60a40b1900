"""`dltool tune`: trials of a search space, with poor ones ended early, until the study is complete."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from rich import box
from rich.table import Table
from rich.text import Text

from dltool.build.prepare import prepare
from dltool.config.check import Config, check
from dltool.config.compose import Composed
from dltool.core.errors import ConfigError, DltoolError
from dltool.core.numerals import counted, numeral
from dltool.core.shell import quoted
from dltool.engine.monitored_metric import monitored_metric
from dltool.search.assignment import Assignment
from dltool.search.display import JobsDisplay, output_console
from dltool.search.folder import Result
from dltool.search.same_data import data_warning
from dltool.search.search_page import write_report
from dltool.search.settings import TuneSettings
from dltool.search.study import Study
from dltool.search.study_plots import draw_study
from dltool.search.workers import Workers

SHOWN_TRIALS = 5

Compose = Callable[[list[str]], tuple[Composed, dict[str, Any], Path]]


def find_metric(config: Config, settings: TuneSettings) -> tuple[str, str]:
    """The metric to optimize and its direction, "min" or "max".

    Raises:
        ConfigError, DataError: If no training of this config reports it, or it cannot be built.
    """
    parts = prepare(config, ("tune.metric", settings.metric))
    monitored = monitored_metric(settings.metric, settings.mode, parts.task, "tune.metric")
    if monitored is None or (settings.metric is None and "val" not in parts.dataset.sizes):
        raise ConfigError(
            "tune.metric must be named: this training has no metric of its own on a validation split",
            "tune.metric=train/loss, or data.val_fraction=0.1",
        )
    return monitored


@dataclass
class Tuning:
    """One command's share of a study.

    Attributes:
        fixed: The overrides that all trials share.
        compose: From overrides to a composed config, as on the command line.
        words: Arguments of a trial's command besides overrides, such as ("--from", "RUN").
        workers: Where the trials run.
        quiet: Print only the study's folder.
    """

    study: Study
    fixed: Sequence[str]
    compose: Compose
    words: Sequence[str]
    workers: Workers[optuna.trial.Trial]
    quiet: bool = False
    exit_codes: list[int] = field(default_factory=list)

    def run(self) -> int:
        """Run trials until the study is complete; returns the exit code.

        0 if the study has a finished trial, 1 if all have failed or have no finite value of the metric, 2 if none
        could begin because of its configuration or data, 130 or 143 after a signal.
        """
        study = self.study
        begun = len(study.trials)
        display = JobsDisplay(study, max(study.settings.trials - begun, 0), quiet=self.quiet, name="trial")
        display.say(
            f"study {study.name} in {study.path}: {begun} of {counted(study.settings.trials, 'trial')}, "
            f"by {study.metric}"
        )
        for dimension in study.space:
            display.say(f"  {dimension.describe()}")

        def begin(slot: int) -> bool:
            if study.has_room():
                self.begin(slot)
            return study.has_room()

        def end(trial: optuna.trial.Trial, exit_code: int) -> None:
            self.exit_codes.append(exit_code)
            display.ended(self.end(trial, exit_code))

        with display:
            return self.report(self.workers.run(begin, end, display, "the running trials are tried again next time"))

    def begin(self, slot: int) -> None:
        """Get values from the study, and start a process that trains with them."""
        study = self.study
        trial, values = study.ask()
        job = study.begin(trial, [*self.fixed, *values])
        try:
            composed, auto, source = self.compose(list(job.overrides))
            check(composed)
        except DltoolError as error:  # An invalid combination; each dimension was checked separately before.
            study.tell(trial, Result(job, study.run_path(job), "failed", error=error.message))
            print(f"trial {trial.number} failed: {error.message}", file=sys.stderr)
            return
        assignment = Assignment(
            words=("train", *self.words, *job.overrides),
            composed=composed,
            auto=auto,
            source=source,
            run_path=study.run_path(job),
            log_path=study.make_log(job),
            slot=slot,
            num_slots=self.workers.count,
            monitored=("tune.metric", study.metric),
            trial=study.link(trial),
        )
        self.workers.start(trial, assignment, slot)

    def end(self, trial: optuna.trial.Trial, exit_code: int) -> Result:
        job = next(job for job in self.study.jobs if job.number == trial.number)
        result = self.study.settle(job, exit_code)
        self.study.tell(trial, result)
        return result

    def report(self, signum: int | None) -> int:
        """Print the best trials, the best command and the steps saved by pruning, and draw the study."""
        study = self.study
        finished = study.finished()
        again = f"tune.study={study.name}"
        if finished and not self.quiet:
            self.print_best(finished)
        if not finished and study.without_value():
            print(self.no_value(), file=sys.stderr)
        if signum is None and (running := study.running()):
            note = f"{counted(running, 'trial')} of {study.settings.trials} still running in other shells"
            print(
                f"warning: {note}; if those were killed, the same command tries them again in a minute", file=sys.stderr
            )
        figures = draw_study(study)  # After the best is printed: an error here must not hide it.
        report = write_report(study.path)
        if self.quiet:
            print(study.path)
        else:
            print(f"study      {quoted(study.path)}, with a run folder per trial")
            for figure in figures:
                print(f"figure     {quoted(figure)}")
            for line in report:
                print(line)
            print(f"continue   the same command with {again} tune.trials={2 * study.settings.trials}")
        if signum is not None:
            return 128 + signum
        if finished:
            return 0
        return 2 if self.exit_codes and set(self.exit_codes) == {2} else 1

    def no_value(self) -> str:
        """That no trial can be the best, why, and what to try."""
        study = self.study
        reasons = " / ".join(dict.fromkeys(study.without_value()))
        return (
            f"error: no trial has a finite value of {study.metric} ({reasons}), so there is no best one\n"
            "hint: another tune.metric, such as tune.metric=val/loss, longer trainings, or another range of optim.lr"
        )

    def print_best(self, finished: Sequence[optuna.trial.FrozenTrial]) -> None:
        study = self.study
        if warning := data_warning(study.results()):
            print(f"warning: {warning}", file=sys.stderr)
        table = Table(box=box.ROUNDED, title=f"the best trials by {study.metric}", title_justify="left")
        for name in ("trial", study.metric, *(dimension.key for dimension in study.space)):
            table.add_column(name, justify="right")
        for trial in finished[:SHOWN_TRIALS]:
            values = [trial.params.get(dimension.key, "") for dimension in study.space]
            shown = [numeral(v) if isinstance(v, float) else str(v) for v in values]
            table.add_row(*map(Text, (str(trial.number), numeral(float(trial.value or 0.0)), *shown)))
        output_console(width=200).print(table)
        states, without = [trial.state for trial in study.trials], len(study.without_value())
        pruned, failed = states.count(TrialState.PRUNED), states.count(TrialState.FAIL) - without
        valueless = f", {without} without a finite {study.metric}" if without else ""
        print(f"trials     {len(finished)} finished, {pruned} pruned, {failed} failed{valueless}{self.savings()}")
        print(f"best       dltool {quoted('train', *self.words, *finished[0].user_attrs['overrides'])}")

    def savings(self) -> str:
        """The share of the steps saved by pruning, over this command's trials."""
        done = [result for result in self.study.results() if result.state in ("finished", "pruned")]
        steps, whole = sum(result.step for result in done), sum(result.total_steps for result in done)
        return f"; pruning saved {1 - steps / whole:.0%} of {whole:,} steps" if steps < whole else ""
