"""Warns if the loss was still falling when the training ended."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from dltool.engine.observer import Observer, Outcome, Progress
from dltool.tasks.task import Task

NUM_PARTS = 10
LAST_PARTS = 4
STILL_FALLING = 0.5
SLOWER = 1.5  # Evaluations in the last part over those in the middle, from which the rate fell.


class UnfinishedTraining(Observer):
    """Compares how fast the loss fell at the end with how fast it fell on average.

    A schedule that ends at a rate of 0 flattens every curve. Time is therefore the sum of the learning rate so far, cut
    into ten equal parts. The loss is still falling if it fell through each of the last four, at more than half of its
    average speed; an exponential decay does so until it has come to a fifth of its way.

    A loss that noise or too large a rate keeps up falls with the rate alone, and more steps would not lower it. If the
    rate fell, the loss must therefore have fallen before, at more than half of the speed of the last parts.

    Args:
        warn: Prints a line for the user.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.warn = warn
        self._progress: Progress | None = None
        self._rates = 0.0
        self._step = 0
        self._losses: dict[str, list[tuple[float, float]]] = {"val/loss": [], "train/loss": []}

    def on_start(self, task: Task, progress: Progress) -> None:
        if task.has_objective and progress.step == 0:  # A resumed training lacks the beginning of its curve.
            self._progress = progress

    def on_record(self, record: dict[str, Any]) -> None:
        if self._progress is None:
            return
        if record["split"] == "train" and (rate := record.get("train/lr")) is not None:
            self._rates += rate * (record["step"] - self._step)
            self._step = record["step"]
        for name, losses in self._losses.items():
            if name in record:
                losses.append((self._rates, record[name]))

    def on_outcome(self, outcome: Outcome) -> None:
        if self._progress is None or outcome.state != "finished" or outcome.stopped_by not in ("epochs", "steps"):
            return
        name, losses = next((item for item in self._losses.items() if item[1]), ("", []))
        if is_falling(losses):
            if rate_fell(in_parts(losses)):
                self.warn(f"{name} was still falling when the learning rate ran out; train longer: {self.longer()}")
            else:
                self.warn(f"{name} was still falling when the training ended; train longer: {self.longer()}")

    def longer(self) -> str:
        progress = self._progress
        assert progress is not None
        if progress.total_epochs is None:
            return f"trainer.steps={2 * progress.total_steps}"
        return f"trainer.epochs={2 * progress.total_epochs}"


def is_falling(losses: Sequence[tuple[float, float]]) -> bool:
    """Whether a curve still falls at its end.

    Args:
        losses: The sum of the learning rates so far, and the loss.
    """
    parts = in_parts(losses)
    if not all(parts):  # Too few evaluations.
        return False
    means = [sum(part) / len(part) for part in parts]
    last = means[-LAST_PARTS:]
    if means[-1] > min(means) or not all(after < before for before, after in pairwise(last)):
        return False
    speed = (last[0] - last[-1]) / (LAST_PARTS - 1)
    before = (means[1] - last[0]) / (NUM_PARTS - LAST_PARTS - 1)
    if rate_fell(parts) and before <= STILL_FALLING * speed:
        return False
    return speed > STILL_FALLING * (means[0] - means[-1]) / (NUM_PARTS - 1)


def in_parts(losses: Sequence[tuple[float, float]]) -> list[list[float]]:
    """The losses in NUM_PARTS equal parts of the sum of the learning rates; empty parts without a learning rate."""
    total = losses[-1][0] if losses else 0.0
    parts: list[list[float]] = [[] for _ in range(NUM_PARTS)]
    for time, loss in losses if total > 0 else ():
        parts[min(int(NUM_PARTS * time / total), NUM_PARTS - 1)].append(loss)
    return parts


def rate_fell(parts: Sequence[Sequence[float]]) -> bool:
    """Whether the last part has more evaluations than one in the middle, because its learning rate was smaller."""
    return len(parts[-1]) > SLOWER * len(parts[NUM_PARTS // 2])
