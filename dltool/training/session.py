"""One process's part of a run: the trainer with its observers, and its output."""

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dltool.build.parts import Parts, describe
from dltool.build.trainer import build_trainer
from dltool.core import messages
from dltool.core.batch import Batch
from dltool.core.disk_space import check_free_space
from dltool.core.errors import ConfigError, NonFiniteLossError, RunError, WorkerError
from dltool.core.numerals import counted
from dltool.core.out_of_memory import is_out_of_memory, peak_memory
from dltool.core.safe_read import read_text
from dltool.core.shell import quoted
from dltool.core.system_errors import reason_of, remedy_of
from dltool.engine.checkpoint import Checkpoint, committed
from dltool.engine.observer import Observer, Outcome, Watched
from dltool.engine.signals import Interrupted
from dltool.engine.trainer import Trainer
from dltool.introspection.summary import count_parameters
from dltool.observers.jsonl import cut_back
from dltool.observers.standard import standard_observers
from dltool.optim.reach import unreached
from dltool.runs.folder import RunFolder
from dltool.training.summary import longer, print_summary
from dltool.trust.importing import described, place_of
from dltool.trust.sources import trust_flags, trusted_sources

MAX_SAMPLES = 1_000  # Of a batch, in log.txt.


@dataclass
class Session:
    """One process's part of a run: the trainer with its observers, and its output.

    Attributes:
        parts: The parts of the training.
        run: The run folder.
        quiet: Print only warnings and the run folder.
        also: Observers in addition to the standard ones.
        display: Shows the progress instead of the bar. Who passes it also says how to continue an interrupted run.
    """

    parts: Parts
    run: RunFolder
    quiet: bool
    also: Sequence[Observer] = ()
    display: Observer | None = None
    trainer: Trainer = field(init=False)

    def __post_init__(self) -> None:
        parts = self.parts
        self.trainer = build_trainer(parts, self.run)
        model, data = (parts.config[group]["name"] for group in ("model", "data"))
        watched = Watched(self.run.files, parts.spec, model, data, self.held_out_batch, self.warn, self.say)
        clock, progress = self.trainer.clock, self.trainer.progress
        usual = standard_observers(parts, self.run, watched, clock, progress, quiet=self.quiet, display=self.display)
        self.trainer.observers = [*self.trainer.observers, *usual, *self.also]

    def check_space(self, checkpoints: int) -> None:
        """Raise ConfigError if the disk cannot take so many checkpoints, of which the weights are a part."""
        weights = sum(tensor.nbytes for tensor in self.parts.task.model.state_dict().values())
        what = f"{counted(checkpoints, 'checkpoint')} of this model {'need' if checkpoints > 1 else 'needs'}"
        check_free_space(self.run.path, checkpoints * weights, what)

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
        if self.is_complete():
            why = trainer.stop_reason or f"its {trainer.stopped_by} are completed"
            raise ConfigError(
                f"{self.run.path} stopped at step {checkpoint.step}: {why}; nothing is left to do",
                f"dltool resume {trust_flags()}{quoted(self.run.path, *longer(trainer))}",
            )
        cut_back(self.run.metrics, trainer.num_records)
        self.say(
            f"resuming at step {checkpoint.step:,} of {trainer.progress.total_steps:,} from {checkpoint.path.name}; "
            f"the schedule is computed for {counted(trainer.progress.total_steps, 'step')}"
        )

    def is_complete(self) -> bool:
        """Whether the training has ended and nothing is missing that is written after its end."""
        if not self.trainer.finished() or self.run.read_status().get("state") != "finished":
            return False
        return not any(observer.lacks_output() for observer in self.trainer.observers)

    def run_to_end(self) -> int:
        """Train, test, draw, summarize. The observers always get the outcome, and so status.json has it."""
        trainer = self.trainer
        self.announce()
        try:
            with self.failures_explained():
                trainer.fit()
        except Interrupted as signal:
            self.tell(Outcome("interrupted"))
            self.say_how_to_continue()
            return signal.exit_code
        except BaseException as error:
            with contextlib.suppress(OSError):  # The disk may be what failed.
                self.run.note(f"failed: {failure(error)}")
            with contextlib.suppress(OSError):
                self.tell(Outcome("failed", error=failure(error)))
            raise
        if trainer.stop_reason:
            self.say(f"stopped by {trainer.stopped_by}: {trainer.stop_reason}")
        self.tell(Outcome("finished", trainer.stopped_by, trainer.stop_reason, trainer.tested))
        self.summarize()
        return 0

    def say_how_to_continue(self) -> None:
        lines = [
            f"interrupted at step {self.trainer.progress.step:,}, which is saved",
            f"continue with: dltool resume {trust_flags()}{quoted(self.run.path)}",
        ]
        for line in lines:
            self.log(line)
        if self.display is None:
            for line in lines[self.quiet :]:
                messages.say(line)

    def tell(self, outcome: Outcome) -> None:
        """Notify the observers how the training ended."""
        with contextlib.ExitStack() as events:
            for observer in reversed(self.trainer.observers):
                events.callback(observer.on_outcome, outcome)  # Each is called, even if another raises; in order.

    def announce(self) -> None:
        parameters = count_parameters(self.parts.task.model)
        sizes = ", ".join(f"{n:,} {split}" for split, n in self.parts.dataset.sizes.items())
        self.say(f"{self.parts.title}: {parameters}, {sizes} {self.parts.dataset.unit}")
        for note in describe(self.parts):
            self.say(f"  {note}")
        if schedule := self.unreached():
            self.say(f"  schedule   {schedule}")
        for source in trusted_sources():
            self.say(f"  trusted    {source.path} (SHA-256 {source.sha256[:12]}…)")
        self.say(f"  run        {self.run.path}")

    def unreached(self) -> str:
        """What of the schedule lies beyond the end of the training; empty if nothing does."""
        trainer, progress = self.trainer, self.trainer.progress
        epochs = math.ceil(progress.total_steps / trainer.steps_per_epoch)
        every = trainer.settings.evaluate_every_n_epochs
        num_evaluations = math.ceil(epochs / every) if "val" in self.parts.dataset.sizes else None
        schedule = self.parts.config["schedule"]
        return unreached(schedule, progress.total_steps, progress.total_epochs, num_evaluations)

    def summarize(self) -> None:
        """Print the summary: the results, where they are, what to type next."""
        if self.quiet:
            print(self.run.path)
            return
        if self.trainer.settings.profile_steps is not None:
            times = self.run.profile / "table.txt"
            print(read_text(times) if times.exists() else "no step was profiled: too few were taken")
        print_summary(self.parts, self.trainer, self.run)

    def say(self, line: str, *, always: bool = False) -> None:
        """Print a line for the user, and write it to log.txt."""
        self.log(line)
        if always or not self.quiet:
            messages.say(line)

    def log(self, line: str) -> None:
        """Write a line to log.txt."""
        with contextlib.suppress(OSError):
            self.run.note(line.strip())

    def warn(self, line: str) -> None:
        self.say(f"warning: {line}", always=True)

    @contextlib.contextmanager
    def failures_explained(self) -> Iterator[None]:
        """Add to a failure what the user needs: the step, the last good checkpoint, the remedy."""
        trainer = self.trainer
        try:
            yield
        except NonFiniteLossError as error:
            if samples := trainer.source.last_samples():
                first = ", ".join(map(str, samples[:MAX_SAMPLES])) + ", …" * (len(samples) > MAX_SAMPLES)
                self.log(f"the last batch has the training samples {first}, counted from 0")
            raise NonFiniteLossError(f"{error.message}; {self.last_good()}", error.hint) from error
        except WorkerError as error:
            resume = f"dltool resume {trust_flags()}{quoted(self.run.path)}"
            raise WorkerError(
                f"{error.message}, at step {trainer.progress.step}; {self.last_good()}",
                f"{resume} continues; {error.hint}",
            ) from error
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            peak = peak_memory(self.parts.device) / 2**30
            raise RunError(
                f"out of memory on {self.parts.device} at step {trainer.progress.step} with "
                f"data.batch_size={self.parts.dataset.batch_size} (at most {peak:.1f} GiB in use); {self.last_good()}",
                f"trainer.accumulate={2 * trainer.settings.accumulate} needs less memory, for the same gradient",
            ) from error
        except OSError as error:
            where = f" ({os.fspath(error.filename)})" if error.filename else ""
            raise RunError(
                f"{reason_of(error)}{where} at step {trainer.progress.step}; {self.last_good()}",
                f"{remedy_of(error)}, then dltool resume {trust_flags()}{quoted(self.run.path)}",
            ) from error

    def last_good(self) -> str:
        paths = committed(self.run.checkpoints)
        return f"the last good checkpoint is {paths[0].name}" if paths else "no checkpoint exists yet"


def failure(error: BaseException) -> str:
    """The error that ended a training, in one line; with the place, if it is in the user's own code."""
    return described(error) if place_of(error) else str(error) or type(error).__name__
