"""Warns about failures of generative training that the losses do not show."""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.engine.observer import Observer, Progress
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.task import Task
from dltool.tasks.uses import generates

FIRST_CHECKS, CHECKS_PER_RUN = 3, 10  # Of samples: after each of the first epochs, then rarely, since drawing is slow.
NUM_SAMPLES = 64
NUM_COMPARED = 4 * NUM_SAMPLES  # Data samples.
COLLAPSED = 0.1  # Fraction of the distance between data samples, below which samples count as the same.
COLLAPSED_CHECKS = 2  # In a row; after the first epoch samples may still be nearly equal noise.
WON_ACCURACY, WON_FAKE, WON_LINES = 0.99, 0.02, 10
FROZEN_CHANGE, FROZEN_LINES = 1e-6, 5
STILL_CHANGE = 1e-7  # Relative change of the samples from one check to the next.

COLLAPSE = (
    "collapse: the mean distance between {count} samples from different codes{of_class} is {share:.1%} of that between "
    "data samples, so the samples are nearly identical; try {remedy}"
)
WON = (
    "the discriminator has won: over the last {lines} lines of the log its accuracy is {accuracy:.3f} and its mean "
    "output for samples {fake:.2g}, so the generator's gradient vanishes; try loss=non_saturating_r1 "
    "or loss=wasserstein_gp, a smaller discriminator or one with dropout, or a smaller learning rate for it"
)
FROZEN = (
    "frozen: {losses}, unchanged over the last {lines} lines of the log, so nothing is learned any more; the cause may "
    "be a saturated output or a learning rate of 0; start again from an earlier checkpoint with a smaller "
    "optim.lr, or trainer.clip_norm=1"
)
STILL = (
    "the generator does not change: the samples from the same codes are the same as at the last check; see whether "
    "its learning rate is 0, it is frozen (model.freeze), or no gradient reaches it"
)


class Alarms(Observer):
    """Detects collapse, a discriminator that has won, frozen losses, and a generator that no longer changes.

    Each alarm is given once, and again only after its condition has cleared. The training is not changed.

    Args:
        warn: Prints a line for the user.
        data: Returns a batch of data, with which the samples' diversity is compared.
    """

    def __init__(self, warn: Callable[[str], None], data: Callable[[], Batch]) -> None:
        self.warn = warn
        self.data = data
        self._task: GenerativeTask | None = None
        self._by_class = False  # Whether samples can be drawn by class.
        self._progress = Progress()
        self._on: set[str] = set()
        self._lines: deque[dict[str, float]] = deque(maxlen=max(WON_LINES, FROZEN_LINES))
        self._usual: float | None = None  # Mean distance between data samples.
        self._collapsed = 0
        self._before: Tensor | None = None  # The samples of the previous check.

    def on_start(self, task: Task, progress: Progress) -> None:
        if not generates(task):
            return
        self._task, self._progress = task, progress
        self._by_class = task.cycle_labels(1, torch.device("cpu")) is not None
        batch = self.data()
        self._usual = self._spread(batch.inputs, batch.targets)

    def on_record(self, record: dict[str, Any]) -> None:
        if self._task is None or record["split"] != "step":
            return
        self._lines.append({key.partition("/")[2]: value for key, value in record.items() if "/" in key})
        self._check_for_a_winner()
        self._check_for_frozen_losses()

    def on_epoch(self) -> None:
        if self._task is None or not self._is_due():
            return
        with drawing_samples(self._task, 0):
            samples = self._task.samples(NUM_SAMPLES)
        if samples is None or not samples.isfinite().all():
            return
        samples = samples.detach().float().cpu()
        self._check_for_collapse(samples)
        if self._before is not None and self._before.shape == samples.shape:
            change = (samples - self._before).norm() / self._before.norm().clamp(min=1e-12)
            self._set("still", float(change) < STILL_CHANGE, STILL)
        self._before = samples

    def _is_due(self) -> bool:
        epoch = self._progress.epoch
        return epoch <= FIRST_CHECKS or epoch % self._progress.epochs_between(CHECKS_PER_RUN) == 0

    def _check_for_collapse(self, samples: Tensor) -> None:
        assert self._task is not None
        labels = self._task.cycle_labels(len(samples), samples.device)
        spread = self._spread(samples, labels)
        if spread is None or not self._usual:
            return
        share = spread / self._usual
        self._collapsed = self._collapsed + 1 if share < COLLAPSED else 0
        of_class = " and one class" if self._by_class else ""
        message = COLLAPSE.format(count=len(samples), share=share, of_class=of_class, remedy=self._task.collapse_remedy)
        self._set("collapse", self._collapsed >= COLLAPSED_CHECKS, message)

    def _spread(self, inputs: Tensor, labels: Tensor | None) -> float | None:
        """Mean distance between two rows of a batch, of the same class if samples can be drawn by class."""
        rows = inputs[:NUM_COMPARED].detach().float().cpu().flatten(1)
        different = ~torch.eye(len(rows), dtype=torch.bool)
        if self._by_class and labels is not None:
            labels = labels[: len(rows)].cpu()
            different &= labels[:, None] == labels
        distances = torch.cdist(rows, rows)[different]
        return float(distances.mean()) if len(distances) else None

    def _check_for_a_winner(self) -> None:
        lines = list(self._lines)[-WON_LINES:]
        for key in lines[-1]:
            if not (key.startswith("d_") and key.endswith("accuracy")):
                continue
            accuracies = [line.get(key, math.nan) for line in lines]
            fakes = [line.get(key.replace("accuracy", "fake"), math.nan) for line in lines]
            # A critic's scores are not probabilities and may have any value.
            won = all(a >= WON_ACCURACY for a in accuracies) and all(0 <= f <= WON_FAKE for f in fakes)
            message = WON.format(lines=WON_LINES, accuracy=sum(accuracies) / len(lines), fake=sum(fakes) / len(lines))
            self._set(f"won {key}", won and len(lines) == WON_LINES, message)

    def _check_for_frozen_losses(self) -> None:
        lines = list(self._lines)[-FROZEN_LINES:]
        keys = [key for key in lines[-1] if key.endswith("loss")]
        still = [key for key in keys if stands_still([line.get(key, math.nan) for line in lines])]
        losses = " and ".join(f"{key} is {lines[-1][key]:.6g}" for key in still)
        frozen = bool(keys) and still == keys and len(lines) == FROZEN_LINES
        self._set("frozen", frozen, FROZEN.format(losses=losses, lines=FROZEN_LINES))

    def _set(self, name: str, on: bool, message: str) -> None:
        """Switch an alarm on or off; the message is printed when it is switched on."""
        if on and name not in self._on:
            self.warn(f"step {self._progress.step:,}: {message}")
        (self._on.add if on else self._on.discard)(name)


def stands_still(values: list[float]) -> bool:
    """Whether the numbers are the same up to rounding."""
    return max(values) - min(values) <= FROZEN_CHANGE * max(map(abs, values))
