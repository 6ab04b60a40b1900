"""Rules that end a training early, and their state.

A rule keeps the values it observed. Whether it is satisfied is computed from them and the current settings, so that a
resume with another threshold, or without the rule, continues the training.
"""

import math
from collections.abc import Sequence
from typing import Any

from dltool.core.numerals import counted
from dltool.engine.clock import Clock


def better(value: float, than: float | None, direction: str, min_delta: float = 0.0) -> bool:
    """Whether a value improves on another; NaN never does, any other value improves on None."""
    if value != value:
        return False
    return than is None or (value < than - min_delta if direction == "min" else value > than + min_delta)


class Stopping:
    """All stopping rules of a training, called by the Trainer.

    Args:
        rules: The rules; the first one that is satisfied ends the training.
        every_n_steps: The period at which rules that watch steps examine one; they cost nothing at the others.
    """

    def __init__(self, rules: Sequence["Rule"] = (), every_n_steps: int = 1) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self.every_n_steps = every_n_steps
        self.step_rules = [rule for rule in rules if rule.watches_steps]
        self.watching: list[Rule] = []

    def observe(self, record: dict[str, Any]) -> None:
        """Pass a line of metrics.jsonl to the rules."""
        for rule in self.rules.values():
            rule.observe(record)

    def before_step(self, step: int) -> None:
        """Before a step; `step` is the number of steps taken before it."""
        if self.step_rules and (step + 1) % self.every_n_steps == 0:
            self.watching = self.step_rules
            for rule in self.watching:
                rule.before_step()

    def after_step(self) -> None:
        """After the step for which before_step was called."""
        if self.watching:
            for rule in self.watching:
                rule.after_step()
            self.watching = []

    def decision(self) -> tuple[str, str] | None:
        """(name, reason) of the first rule that is satisfied, or None."""
        for name, rule in self.rules.items():
            if (reason := rule.reason()) is not None:
                return name, reason
        return None

    def quantities(self, *, of_steps: bool) -> dict[str, float]:
        """The newest value that each rule compares with its threshold, without rules that have none.

        Args:
            of_steps: Those of the rules that watch steps, or those of the others.
        """
        values = {name: rule.quantity for name, rule in self.rules.items() if rule.watches_steps == of_steps}
        return {name: float(value) for name, value in values.items() if value is not None}

    def state_dict(self) -> dict[str, Any]:
        return {name: rule.state_dict() for name, rule in self.rules.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from state_dict; a rule that is new in this process begins without observations."""
        for name, rule in self.rules.items():
            if name in state:
                rule.load_state_dict(state[name])


class Rule:
    """A stopping rule.

    Attributes:
        name: The run's `stopped_by`.
        subject: What it examines, such as "val/loss". State saved for another subject is discarded.
        remembers: Names of the attributes that are its state.
        watches_steps: Whether before_step and after_step must be called.
    """

    name: str
    subject: str = ""
    remembers: tuple[str, ...] = ()
    watches_steps = False

    @property
    def setting(self) -> str:
        """The override without which the training would have continued."""
        return f"stop.{self.name}=null"

    @property
    def quantity(self) -> float | None:
        """The newest value that is compared with the threshold; None if it is unknown, or the rule has no threshold."""
        return None

    def observe(self, record: dict[str, Any]) -> None:
        """Observe a line of metrics.jsonl."""

    def before_step(self) -> None:
        """Before a step that is examined."""

    def after_step(self) -> None:
        """After a step that is examined."""

    def reason(self) -> str | None:
        """The observed value and the setting that it satisfies, as text for the user; None if it is not satisfied."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        return {"subject": self.subject, **{name: getattr(self, name) for name in self.remembers}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["subject"] == self.subject:
            for name in self.remembers:
                setattr(self, name, state[name])


class MaxMinutes(Rule):
    """The training, over all its processes, has taken a given time. Checked between steps."""

    name = "max_minutes"

    def __init__(self, clock: Clock, max_minutes: float) -> None:
        self.clock = clock
        self.max_minutes = max_minutes

    def reason(self) -> str | None:
        minutes = self.clock.seconds / 60
        if minutes < self.max_minutes:
            return None
        return f"{minutes:.4g} minutes of training have passed (stop.max_minutes={self.max_minutes})"


class Target(Rule):
    """A metric has reached a value."""

    name = "target"
    remembers = ("value",)

    def __init__(self, metric: str, direction: str, target: float) -> None:
        self.subject = metric
        self.direction = direction
        self.target = target
        self.value: float | None = None

    @property
    def quantity(self) -> float | None:
        return self.value

    def observe(self, record: dict[str, Any]) -> None:
        self.value = record.get(self.subject, self.value)

    def reason(self) -> str | None:
        # Reached unless the target is better than the value.
        if self.value is None or self.value != self.value or better(self.target, self.value, self.direction):
            return None
        return f"{self.subject} reached {self.value:.6g} (stop.target={self.target})"


class Patience(Rule):
    """Early stopping: a metric has not improved by more than `min_delta` for `patience` evaluations in a row."""

    name = "patience"
    remembers = ("best", "waited")

    def __init__(self, metric: str, direction: str, patience: int, min_delta: float = 0.0) -> None:
        self.subject = metric
        self.direction = direction
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

    @property
    def quantity(self) -> float | None:
        return self.waited

    def observe(self, record: dict[str, Any]) -> None:
        if self.subject not in record:
            return
        if better(record[self.subject], self.best, self.direction, self.min_delta):
            self.best, self.waited = record[self.subject], 0
        else:
            self.waited += 1

    def reason(self) -> str | None:
        if self.waited < self.patience:
            return None
        best = "NaN" if self.best is None else f"{self.best:.6g}"
        times = f"{counted(self.waited, 'evaluation')}"
        return f"{self.subject} did not improve on {best} for {times} (stop.patience={self.patience})"


class Overfitting(Rule):
    """The model memorizes: the validation loss has grown far above its minimum, and the training loss kept falling.

    Satisfied after `EVALUATIONS` in a row with a validation loss above `GROWTH` times its minimum and a training loss
    below `MEMORIZED` times what it was at that minimum. A noisy validation loss alone does not satisfy it.
    """

    name = "overfitting"
    subject = "val/loss"
    remembers = ("training", "best", "training_at_best", "times")

    EVALUATIONS = 5
    GROWTH = 1.5
    MEMORIZED = 0.5

    def __init__(self) -> None:
        self.training = math.inf
        self.best = math.inf
        self.training_at_best = math.inf
        self.times = 0

    @property
    def setting(self) -> str:
        return "trainer.stop_when_overfit=false"

    def observe(self, record: dict[str, Any]) -> None:
        self.training = record.get("train/loss", self.training)
        if self.subject not in record:
            return
        if (loss := record[self.subject]) < self.best:
            self.best, self.training_at_best = loss, self.training
        apart = loss > self.GROWTH * self.best > 0 and self.training < self.MEMORIZED * self.training_at_best
        self.times = self.times + 1 if apart else 0

    def reason(self) -> str | None:
        if self.times < self.EVALUATIONS:
            return None
        return (
            f"val/loss was above {self.GROWTH} times its minimum of {self.best:.4g} for {self.times} evaluations, "
            "while train/loss fell to less than half (trainer.stop_when_overfit=true)"
        )


class LossChange(Rule):
    """The loss no longer changes: the maximum minus the minimum of its newest n + 1 values is below a bound."""

    name = "loss_change"
    remembers = ("losses",)

    def __init__(self, metric: str, loss_change: float, num_evaluations: int) -> None:
        self.subject = metric
        self.loss_change = loss_change
        self.num_evaluations = num_evaluations
        self.losses: list[float] = []

    @property
    def quantity(self) -> float | None:
        newest = self.losses[-self.num_evaluations - 1 :]
        return max(newest) - min(newest) if len(newest) > self.num_evaluations else None

    def observe(self, record: dict[str, Any]) -> None:
        if self.subject in record:
            self.losses = [*self.losses, record[self.subject]][-self.num_evaluations - 1 :]

    def reason(self) -> str | None:
        change = self.quantity
        if change is None or not change < self.loss_change:  # Also where a loss was NaN.
            return None
        times = f"{counted(self.num_evaluations, 'evaluation')}"
        return f"{self.subject} changed by {change:.3g} over {times} (stop.loss_change={self.loss_change})"
