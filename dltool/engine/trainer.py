"""The training loop: when steps, evaluations and checkpoints happen.

The task defines a step (dltool.tasks), and the updater how an optimizer takes it (dltool.engine.updater). The loop's
only state is a few counters: the step, the batches drawn and the epochs finished determine what comes next, so that a
training that stopped anywhere continues from there.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from dltool.core.randomness import derive_seed, seed_default_generators, step_seed
from dltool.data.dataset import Dataset
from dltool.distributed.team import SOLO, Team
from dltool.engine.agreement import Agreement
from dltool.engine.averaging import WeightAverage
from dltool.engine.checkpoint import Checkpoint, CheckpointStore, sequence
from dltool.engine.checkpoint_schedule import CheckpointSchedule
from dltool.engine.clock import Clock
from dltool.engine.evaluator import evaluate, sharing
from dltool.engine.guard import check_trained
from dltool.engine.length import ResolvedTrainerSettings
from dltool.engine.observer import Observer, Progress
from dltool.engine.signals import Interrupted, StopSignals
from dltool.engine.stopping import Stopping
from dltool.engine.team_checkpoints import TeamCheckpoints
from dltool.engine.updater import Updater, learning_rates
from dltool.tasks.task import Task


@dataclass
class Trainer:
    """Trains a task: epochs, evaluation, stopping, checkpoints, resume.

    Attributes:
        updaters: Role to its updater; empty for a task that needs no optimizer.
        step_context: Entered again around each step, for debugging.
        tta_context: Entered around the final test, for test-time augmentation.
        every_n_steps: Steps between two training lines of the log.
        stopped_by: Why the training ended: "epochs", "steps", a rule of `stopping`, or an observer's word.
        stop_reason: What satisfied a rule, as text for the user.
        tested: Name of the checkpoint whose weights the final test measured.
    """

    task: Task
    updaters: Mapping[str, Updater]
    data: Dataset
    checkpoints: CheckpointStore | TeamCheckpoints
    settings: ResolvedTrainerSettings
    seed: int
    device: torch.device
    autocast: Any
    team: Team = SOLO
    stopping: Stopping = field(default_factory=Stopping)
    average: WeightAverage | None = None
    observers: Sequence[Observer] = ()
    step_context: contextlib.AbstractContextManager[Any] = field(default_factory=contextlib.nullcontext)
    tta_context: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    every_n_steps: int = 50
    signals: StopSignals = field(default_factory=StopSignals)
    progress: Progress = field(default_factory=Progress)
    clock: Clock = field(default_factory=Clock)
    stopped_by: str | None = None
    stop_reason: str | None = None
    tested: str | None = None
    num_records: int = 0

    def __post_init__(self) -> None:
        self.source = self.data.train
        self.steps_per_epoch = math.ceil(self.source.batches_per_epoch / self.task.draws_per_step)
        draws = (self.settings.epochs or math.inf) * self.source.batches_per_epoch
        lengths = [self.settings.steps or math.inf, draws / self.task.draws_per_step]
        self.progress.total_steps = math.ceil(min(lengths))
        self.progress.total_epochs = self.settings.epochs if lengths[1] <= lengths[0] else None
        self.progress.unit = self.source.unit
        self.progress.stopping = self.stopping
        self.samples_per_draw = self.source.samples_per_epoch / self.source.batches_per_epoch
        self.step_observers: Sequence[Observer] = ()  # Those that watch some of the steps; see fit.
        self.evaluated_at = -1  # Step of the newest evaluation of the validation split.
        self.agreement = Agreement(self.team, self.signals, self.progress, self.clock)
        self.checkpoint_schedule = CheckpointSchedule(self.settings.checkpoint, self.checkpoints, self.clock)

    def fit(self) -> None:
        """Train to the end, or until a signal, an error or a stopping rule ends it.

        Raises:
            Interrupted: After a signal; a checkpoint of the step reached is saved.
            NonFiniteLossError: The weights are those before the step that it names.
        """
        self.agreement.start()
        self.clock.start()
        self.checkpoint_schedule.restart_clock()
        self.step_observers = [o for o in self.observers if type(o).watches is not Observer.watches]
        self.task.model.train()
        started: list[Observer] = []
        try:
            with self.signals:  # From here on status.json says "running", so a signal must interrupt it.
                for observer in self.observers:
                    started.append(observer)
                    observer.on_start(self.task, self.progress)
            with self.signals:
                try:
                    with self.clock.stopped_after():
                        while not self.finished():
                            self.advance()
                            self.agreement.check()
                        self.evaluate_the_rest()
                    self.save()
                    self.test()
                except Interrupted:
                    self.save()
                    raise
        finally:
            with self.averaged_weights(refresh=False), contextlib.ExitStack() as ends:
                for observer in reversed(started):
                    ends.callback(observer.on_end)  # Each is called, even if another raises; in order.

    def advance(self) -> None:
        """Finish an exhausted epoch, or take a step; then save if a checkpoint is due."""
        if self.epoch_exhausted():
            self.finish_epoch()
        else:
            self.stopping.before_step(self.progress.step)
            if self.step_observers and (due := [o for o in self.step_observers if o.watches(self.progress.step)]):
                self.watched_step(due)
            else:
                with self.step_context:
                    self.train_step()
            self.stopping.after_step()
            if self.average is not None:
                self.average.after_step(self.progress.step, self.progress.total_steps, self.epoch_exhausted())
            self.notify_step_observers()
        if self.epoch_exhausted():
            return  # The checkpoint waits for the evaluation.
        if self.checkpoint_schedule.is_due(self.progress.step, self.progress.epoch, self.progress.metrics):
            self.save()

    def watched_step(self, observers: Sequence[Observer]) -> None:
        """A step that observers measure."""
        for observer in observers:
            observer.before_step()
        with self.step_context:
            self.train_step()
        for observer in observers:
            observer.after_step()

    def notify_step_observers(self) -> None:
        """Call the observers that are due at this step."""
        if due := [o for o in self.observers if o.every_n_steps and self.progress.step % o.every_n_steps == 0]:
            with self.averaged_weights(refresh=False):
                for observer in due:
                    observer.on_steps()

    def finished(self) -> bool:
        """Whether the training is over; records why. An epoch whose batches are drawn is finished first."""
        progress, settings = self.progress, self.settings
        if self.epoch_exhausted():
            return False
        if decision := self.stopping.decision():
            self.stopped_by, self.stop_reason = decision
        elif self.agreement.stop_requested:
            self.stopped_by, self.stop_reason = progress.stop_request or "observer", progress.stop_reason
        elif settings.epochs is not None and progress.epoch >= settings.epochs:
            self.stopped_by = "epochs"
        elif settings.steps is not None and progress.step >= settings.steps:
            self.stopped_by = "steps"
        return self.stopped_by is not None

    def epoch_exhausted(self) -> bool:
        """Whether all batches of the current epoch are drawn, and the epoch is not yet finished."""
        return self.source.epoch > self.progress.epoch

    def train_step(self) -> None:
        """One step of the task; all its randomness is a function of (seed, step)."""
        progress = self.progress
        seed_default_generators(step_seed(self.seed, progress.step), self.device)
        self.apply_schedules()
        drawn = self.source.draws
        logs = self.task.train_step(self.source, self.updaters)
        progress.sums.update(logs)
        progress.step += 1
        progress.samples += round((self.source.draws - drawn) * self.samples_per_draw)
        self.clock.note_step()
        if progress.step % self.every_n_steps == 0:
            self.raise_if_bad()
            self.record("step", progress.sums.window() | learning_rates(self.updaters))

    def apply_schedules(self) -> None:
        """Set the learning rates of the next step."""
        progress = self.progress
        total_epochs = progress.total_epochs or math.ceil(progress.total_steps / self.steps_per_epoch)
        for updater in self.updaters.values():
            updater.begin_step(progress.step, progress.epoch, progress.total_steps, total_epochs)

    def finish_epoch(self) -> None:
        """Evaluate and log the finished epoch, and update the plateau schedules.

        An interrupted evaluation changes no state, so that it is repeated on resume.
        """
        self.raise_if_bad()
        epoch = self.progress.epoch + 1
        last = epoch == self.settings.epochs or self.progress.step >= self.progress.total_steps
        metrics = self.evaluate("val") if last or epoch % self.settings.evaluate_every_n_epochs == 0 else {}
        self.progress.epoch = epoch
        self.record("train", self.progress.sums.total() | learning_rates(self.updaters))
        self.progress.sums.reset()
        if metrics:
            self.evaluated_at = self.progress.step
            self.record("val", metrics)
            for updater in self.updaters.values():
                updater.schedule.observe(self.progress.metrics, self.task.main_metric)
        with self.averaged_weights():  # For observers that draw samples.
            for observer in self.observers:
                observer.on_epoch()

    def evaluate_the_rest(self) -> None:
        """Evaluate a training that ended by its steps in the middle of an epoch, which stays unfinished."""
        if self.evaluated_at != self.progress.step and (metrics := self.evaluate("val")):
            self.evaluated_at = self.progress.step
            self.record("val", metrics)

    def test(self) -> None:
        """Measure and log the test split, with the last weights or with those of the best checkpoint."""
        if self.settings.test == "none" or self.data.sizes.get("test", 0) == 0:
            return
        path = self.checkpoints.best_or_last() if self.settings.test == "best" else self.checkpoints.last()
        if self.settings.test == "best":
            self.load_weights(self.checkpoints.load(path))
        with self.tta_context():
            metrics = self.evaluate("test")
        self.record("test", metrics, tested_step=sequence(path)[0])
        self.tested = path.name

    def evaluate(self, split: str, num_batches: int | None = None) -> dict[str, float]:
        """The task's metrics over a split; empty if the data has no such split.

        Args:
            split: Its name.
            num_batches: The number of batches to evaluate, from the first; None for all.
        """
        if self.data.sizes.get(split, 0) == 0:
            return {}
        self.progress.activity = "evaluating"
        self.team.copy_from_first(list(self.task.model.buffers()))  # Statistics may be of each process's pieces.
        self.task.split = split
        team = sharing(self.task, self.team)
        try:
            with self.averaged_weights():
                # An evaluation may draw random numbers (samples of a GAN); they too are a function of the step.
                seed_default_generators(derive_seed(self.seed, "evaluation", split, self.progress.step), self.device)
                metrics = evaluate(
                    self.task,
                    itertools.islice(self.data.evaluation_share(split, team.rank, team.size), num_batches),
                    split,
                    autocast=self.autocast,
                    between_batches=self.agreement.check,
                    team=team,
                )
            self.data.merge_skipped(self.team.gather)
            return metrics
        finally:
            self.progress.activity = "training"

    def averaged_weights(self, *, refresh: bool = True) -> contextlib.AbstractContextManager[None]:
        """In this context the model has its averaged weights, if the training keeps an average.

        Args:
            refresh: Recompute stale batch norm statistics; without it, an average that needs this is not applied.
        """
        if self.average is None:
            return contextlib.nullcontext()
        seed_default_generators(derive_seed(self.seed, "average", self.progress.step), self.device)
        return self.average.applied(self.agreement.check if refresh else None)

    def record(self, split: str, values: dict[str, float], **about: int) -> None:
        """Log values of a split at the current step, with facts about them under their own names."""
        named = {f"{split}/{name}": value for name, value in values.items()}
        if not named:
            return
        self.progress.metrics.update(named)
        self.num_records += 1
        line = {"step": self.progress.step, "epoch": self.progress.epoch, "split": split, **about, **named}
        self.stopping.observe(line)
        for observer in self.observers:
            observer.on_record(line)

    def raise_if_bad(self) -> None:
        for updater in self.updaters.values():
            updater.guard.raise_if_bad()

    def save(self) -> None:
        """Commit a checkpoint of the current step, unless one exists already."""
        progress, position = self.progress, (self.progress.step, self.progress.epoch)
        if position == self.checkpoint_schedule.saved_at:
            return
        self.raise_if_bad()
        check_trained(self.task, progress.metrics, progress.step)
        progress.activity = "saving"
        self.team.copy_from_first(list(self.task.model.buffers()))
        self.data.merge_skipped(self.team.gather)
        for observer in self.observers:
            observer.before_checkpoint()
        self.checkpoints.save(progress.step, self.task.model.state_dict(), self.state_dict(), dict(progress.metrics))
        progress.activity = "training"
        self.checkpoint_schedule.note_saved(*position)

    def state_dict(self) -> dict[str, Any]:
        """The whole state except the model's weights; random numbers have no state."""
        return {
            "step": self.progress.step,
            "epoch": self.progress.epoch,
            "draws": self.source.draws,
            "sums": self.progress.sums.state_dict(),
            "num_records": self.num_records,
            "evaluated_at": self.evaluated_at,
            "seconds": self.clock.seconds,
            "stopped_by": self.stopped_by,
            "stopping": self.stopping.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "updaters": {role: updater.state_dict() for role, updater in self.updaters.items()},
            "task": self.task.state_dict(),
            "data": self.data.state_dict(),
        }

    def load(self, checkpoint: Checkpoint) -> None:
        """Restore the state of a checkpoint."""
        state = checkpoint.state
        self.data.load_state_dict(state.get("data", {}))
        self.load_weights(checkpoint)
        self.progress.step, self.progress.epoch = state["step"], state["epoch"]
        self.source.draws = state["draws"]
        self.progress.sums.load_state_dict(state["sums"])
        self.progress.metrics = dict(checkpoint.metrics)
        self.num_records, self.evaluated_at = state["num_records"], state["evaluated_at"]
        self.clock.before = state["seconds"]
        self.stopping.load_state_dict(state["stopping"])
        for role, updater in self.updaters.items():
            updater.load_state_dict(state["updaters"][role])
        self.task.load_state_dict(state["task"])
        self.checkpoint_schedule.note_saved(self.progress.step, self.progress.epoch)

    def load_weights(self, checkpoint: Checkpoint) -> None:
        self.task.model.load_state_dict(checkpoint.weights)
        if self.average is not None:
            self.average.load_state_dict(checkpoint.state["average"])
