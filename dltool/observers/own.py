"""The user's own observer, from --trust; its exceptions are reported with file and line."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from dltool.core.errors import DltoolError, RunError
from dltool.core.shell import quoted
from dltool.engine.observer import Observer, Outcome, Progress, Watched
from dltool.tasks.task import Task
from dltool.trust.importing import described
from dltool.trust.sources import trust_flags


class OwnObserver(Observer):
    """Passes every event on to the user's observer.

    An exception in it ends the training as failed. If the training has ended already, the exception becomes a
    warning, so that the run still reports how the training ended.

    Args:
        name: The name of the option.
        observer: The user's observer.
        watched: The training.
    """

    def __init__(self, name: str, observer: Observer, watched: Watched) -> None:
        self.name = name
        self.observer = observer
        self.watched = watched
        self.every_n_steps = observer.every_n_steps

    def on_create(self) -> None:
        with self.failures_placed():
            self.observer.on_create()

    def on_start(self, task: Task, progress: Progress) -> None:
        with self.failures_placed():
            self.observer.on_start(task, progress)
        self.every_n_steps = self.observer.every_n_steps

    def on_record(self, record: dict[str, Any]) -> None:
        with self.failures_placed():
            self.observer.on_record(dict(record))  # A copy: other observers get the same line.

    def on_steps(self) -> None:
        with self.failures_placed():
            self.observer.on_steps()

    def watches(self, step: int) -> bool:
        with self.failures_placed():
            return self.observer.watches(step)

    def before_step(self) -> None:
        with self.failures_placed():
            self.observer.before_step()

    def after_step(self) -> None:
        with self.failures_placed():
            self.observer.after_step()

    def on_epoch(self) -> None:
        with self.failures_placed():
            self.observer.on_epoch()

    def before_checkpoint(self) -> None:
        with self.failures_placed():
            self.observer.before_checkpoint()

    def on_end(self) -> None:
        has_ended = sys.exception() is not None  # By a signal or a failure: on_end is called in a `finally`.
        with self.failures_placed(warned_of=has_ended):
            self.observer.on_end()

    def on_outcome(self, outcome: Outcome) -> None:
        with self.failures_placed(warned_of=True):
            self.observer.on_outcome(outcome)

    @contextlib.contextmanager
    def failures_placed(self, *, warned_of: bool = False) -> Iterator[None]:
        """Name the observer, the file and the line of an exception, as an error or as a warning.

        Raises:
            RunError: In place of any exception that is not dltool's own.
        """
        try:
            yield
        except DltoolError:
            raise
        except Exception as error:
            message = f"observer={self.name}: {described(error)}"
            if not warned_of:
                again = f"dltool resume {trust_flags()}{quoted(self.watched.folder.path)}"
                raise RunError(message, f"fix it, then {again}; observer=none goes on without it") from error
            self.watched.warn(message)
