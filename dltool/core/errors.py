"""Every error that dltool raises on purpose: one line that names the problem, one hint that says how to fix it.

The command line prints `error: …` and `hint: …` and exits with the error's `exit_code`; see the table of
exit codes in the README. Any other exception is a bug in dltool and shows its traceback.
"""

from dltool.core.printable import printable


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C, or the stop button of a notebook, ended a training from Python; its message says how to continue."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class DltoolError(Exception):
    """An error with a hint.

    Args:
        message: What is wrong, naming the key, file, row or step.
        hint: What to type or change; None where no advice is possible.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        if hint:
            self.add_note(f"hint: {hint}")  # For tracebacks, in notebooks.
        self.message = message
        self.hint = hint

    def report(self) -> str:
        """One `error:` line and, where there is a hint, one `hint:` line."""
        return f"error: {printable(self.message)}" + (f"\nhint: {printable(self.hint)}" if self.hint else "")

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of the traceback, in a notebook and its terminal; scripts show the traceback."""
        return self.report().splitlines()


class ConfigError(DltoolError):
    """The configuration is wrong: a name, key, type, range or combination. Nothing has run."""

    exit_code = 2


class DataError(DltoolError):
    """The data is wrong or absent: a missing folder, a truncated file, a label out of range. Nothing has run."""

    exit_code = 2


class RunError(DltoolError):
    """Training started and could not continue."""


class NonFiniteLossError(RunError):
    """A loss or gradient norm became NaN or infinite; the weights were not updated with it."""


class WorkerError(RunError):
    """A process that decodes data ended, or does not answer."""


class CheckpointError(RunError):
    """A checkpoint cannot be written, or no readable one exists."""
