"""One process's part of a run: the trainer with its observers, and its output."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from dltool.build.parts import Parts, describe
from dltool.build.trainer import build_trainer
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError, NonFiniteLossError, RunError
from dltool.core.numerals import numeral
from dltool.core.shell import quoted
from dltool.engine.checkpoint import Checkpoint, saved_metrics
from dltool.engine.observer import Observer, Outcome, Watched
from dltool.engine.signals import Interrupted
from dltool.engine.trainer import Trainer
from dltool.introspection.summary import count_parameters
from dltool.observers.jsonl import cut_back
from dltool.observers.standard import standard_observers
from dltool.runs.folder import RunFolder
from dltool.tasks.uses import generates
from dltool.trust.importing import described, place_of
from dltool.trust.sources import trust_flags, trusted_sources


@dataclass
class Session:
    """One process's part of a run: the trainer with its observers, and its output."""

    parts: Parts
    run: RunFolder
    quiet: bool
    also: Sequence[Observer] = ()
    trainer: Trainer = field(init=False)

    def __post_init__(self) -> None:
        parts = self.parts
        self.trainer = build_trainer(parts, self.run)
        watched = Watched(self.run.files, parts.spec, self.parts.title, self.held_out_batch, self.warn, self.say)
        clock, progress = self.trainer.clock, self.trainer.progress
        usual = standard_observers(parts, self.run, watched, clock, progress, quiet=self.quiet)
        self.trainer.observers = [*self.trainer.observers, *usual, *self.also]

    def held_out_batch(self, least: int = 1) -> Batch:
        """The first validation batch, or the first training batch without a validation split.

        Args:
            least: The minimum number of samples; following batches are added until it is reached.
        """
        dataset = self.parts.dataset
        return dataset.first_batch("val" if "val" in dataset.sizes else "train", least)

    def continue_from(self, checkpoint: Checkpoint) -> None:
        """Load a checkpoint, truncate the log to it, and print where the training continues."""
        trainer = self.trainer
        trainer.load(checkpoint)
        if trainer.finished() and self.run.read_status().get("state") == "finished":
            why = trainer.stop_reason or f"its {trainer.stopped_by} are completed"
            raise ConfigError(
                f"{self.run.path} stopped at step {checkpoint.step}: {why}; nothing is left to do",
                f"dltool resume {trust_flags()}{quoted(self.run.path, *self.longer())}",
            )
        cut_back(self.run.metrics, trainer.num_records)
        self.say(
            f"resuming at step {checkpoint.step:,} of {trainer.progress.total_steps:,} from {checkpoint.path.name}; "
            f"the schedule is computed for {trainer.progress.total_steps:,} steps"
        )

    def run_to_end(self) -> int:
        """Train, test, draw, summarize. The observers always get the outcome, and so status.json has it."""
        trainer = self.trainer
        self.announce()
        try:
            with self.failures_explained():
                trainer.fit()
        except Interrupted as signal:
            self.tell(Outcome("interrupted"))
            self.say(f"interrupted at step {trainer.progress.step:,}, which is saved")
            self.say(f"continue with: dltool resume {trust_flags()}{quoted(self.run.path)}", always=True)
            return signal.exit_code
        except BaseException as error:
            with contextlib.suppress(OSError):  # The disk may be what failed.
                self.tell(Outcome("failed", error=failure(error)))
                self.run.note(f"failed: {failure(error)}")
            raise
        if trainer.stop_reason:
            self.say(f"stopped by {trainer.stopped_by}: {trainer.stop_reason}")
        self.tell(Outcome("finished", trainer.stopped_by, trainer.stop_reason, trainer.tested))
        self.summarize()
        return 0

    def tell(self, outcome: Outcome) -> None:
        """Notify the observers how the training ended."""
        for observer in self.trainer.observers:
            observer.on_outcome(outcome)

    def announce(self) -> None:
        parameters = count_parameters(self.parts.task.model)
        sizes = ", ".join(f"{n:,} {split}" for split, n in self.parts.dataset.sizes.items())
        self.say(f"{self.parts.title}: {parameters}, {sizes} {self.parts.dataset.unit}")
        for note in describe(self.parts):
            self.say(f"  {note}")
        for source in trusted_sources():
            self.say(f"  trusted    {source.path} (SHA-256 {source.sha256[:12]}…)")
        self.say(f"  run        {self.run.path}")

    def summarize(self) -> None:
        """Print the summary: the results, where they are, what to type next."""
        if self.quiet:
            print(self.run.path)
            return
        status, path = self.run.read_status(), self.run.path
        if self.trainer.settings.profile_steps is not None:
            times = self.run.profile / "table.txt"
            print(times.read_text(encoding="utf-8") if times.exists() else "no step was profiled: too few were taken")
        rows = [(name, numeral(value)) for name, value in self.trainer.progress.metrics.items() if is_result(name)]
        if self.trainer.tested:
            settings = self.trainer.settings
            views = f", averaged over {', '.join(settings.test_views)}" if settings.test_views else ""
            rows.append(("tested", f"{self.trainer.tested} (the {settings.test} weights{views})"))
        if best := self.best():
            rows.append(("best", best))
        rows += [("remark", remark) for remark in self.parts.task.remarks]
        if self.trainer.settings.overfit_batches is not None:
            rows.append(("overfit", self.overfit_summary()))
        if (average := self.trainer.average) is not None:
            none = "none was taken: the training ended before trainer.average.start; these are the weights themselves"
            rows.append(
                (
                    "average",
                    f"{average.settings.kind}, {average.num_updates:,} updates" if average.num_updates else none,
                )
            )
        seconds, unit = status["seconds"], self.trainer.progress.unit
        rows.append(("length", f"{self.trainer.progress.step:,} steps, {self.trainer.progress.epoch:,} epochs"))
        if self.trainer.stop_reason:
            rows.append(("stopped by", self.trainer.stop_reason))
        rows += [
            ("time", f"{seconds['total']:.1f} s, {status['samples_per_second']:,.0f} {unit}/s while training"),
            ("run", quoted(path)),
        ]
        if (self.run.path / "plots" / "curves.png").exists():
            rows.append(("curves", quoted(path / "plots" / "curves.png")))
        if next_step := self.parts.task.suggestion(self.parts.spec):
            command = f"dltool {next_step.verb} {trust_flags()}{quoted(path)} {next_step.arguments}"
            rows.append((next_step.title, command.rstrip()))
        rows.append(("longer", f"dltool resume {trust_flags()}{quoted(path, *self.longer())}"))
        rows.append(("again", f"dltool train {trust_flags()}--from {quoted(path)} seed=1"))
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.ROUNDED, show_header=False, title=f"{self.parts.title}: finished", title_justify="left")
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*row)
        console = Console(highlight=False, soft_wrap=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=max(100, *(len(name) + len(value) + 20 for name, value in rows)))
        console.print(table, markup=False)

    def best(self) -> str:
        """The best and the last value of a generative model's metric, which can differ much; "" for other tasks."""
        store = self.trainer.checkpoints
        path, metric = store.best(), store.metric
        if path is None or path.name == self.trainer.tested or not generates(self.parts.task):
            return ""
        value, last = saved_metrics(path).get(str(metric)), self.trainer.progress.metrics.get(str(metric))
        if value is None or last is None:
            return ""
        return (
            f"{metric} {numeral(value)} at {path.name}, {numeral(last)} at the end; --checkpoint best uses the former"
        )

    def overfit_summary(self) -> str:
        """Whether a training on the same few batches memorized them, and likely causes if not."""
        trainer = self.trainer
        loss = trainer.progress.metrics.get("train/loss", float("nan"))
        if trainer.stopped_by == "target":
            return f"memorized in {trainer.progress.step:,} steps: model, loss and optimizer work together"
        return (
            f"NOT memorized, train/loss is {loss:.4g}: check for labels that do not match their inputs, an unsuitable "
            "loss, a layer without gradient, an optim.lr that is too small or too large, a model that is too small; "
            "or for dropout, penalties, label smoothing or a loss that cannot become so small"
        )

    def longer(self) -> list[str]:
        """The override with which a resume continues, `trainer.epochs=60` or `stop.target=null`; or none."""
        settings, stopped_by = self.trainer.settings, self.trainer.stopped_by
        if stopped_by in self.trainer.stopping.rules:
            return [self.trainer.stopping.rules[stopped_by].setting]
        if stopped_by == self.trainer.progress.stop_request:
            return []
        if settings.epochs is not None and stopped_by != "steps":
            return [f"trainer.epochs={2 * settings.epochs}"]
        return [f"trainer.steps={2 * self.trainer.progress.step}"]

    def say(self, line: str, *, always: bool = False) -> None:
        """Print a line for the user on standard error, and write it to log.txt."""
        with contextlib.suppress(OSError):
            self.run.note(line.strip())
        if always or not self.quiet:
            print(line, file=sys.stderr, flush=True)

    def warn(self, line: str) -> None:
        self.say(f"warning: {line}", always=True)

    @contextlib.contextmanager
    def failures_explained(self) -> Iterator[None]:
        """Add to a failure what the user needs: the step, the last good checkpoint, the remedy."""
        trainer = self.trainer
        try:
            yield
        except NonFiniteLossError as error:
            raise NonFiniteLossError(f"{error.message}; {self.last_good()}", error.hint) from error
        except torch.OutOfMemoryError as error:
            peak = torch.cuda.max_memory_allocated(self.parts.device) / 2**30
            raise RunError(
                f"out of memory on {self.parts.device} at step {trainer.progress.step} with "
                f"data.batch_size={self.parts.dataset.batch_size} ({peak:.1f} GiB in use); {self.last_good()}",
                f"trainer.accumulate={2 * trainer.settings.accumulate} needs less memory, for the same gradient",
            ) from error
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            where = f" ({os.fspath(error.filename)})" if error.filename else ""
            raise RunError(
                f"{reason}{where} at step {trainer.progress.step}; {self.last_good()}",
                f"free disk space, then dltool resume {trust_flags()}{quoted(self.run.path)}",
            ) from error

    def last_good(self) -> str:
        paths = self.trainer.checkpoints.paths()
        return f"the last good checkpoint is {paths[0].name}" if paths else "no checkpoint exists yet"


def failure(error: BaseException) -> str:
    """The error that ended a training, in one line; with the place, if it is in the user's own code."""
    return described(error) if place_of(error) else str(error) or type(error).__name__


def is_result(metric: str) -> bool:
    """Whether the summary shows a metric: those of held-out data."""
    return metric.split("/")[0] in ("val", "test")
