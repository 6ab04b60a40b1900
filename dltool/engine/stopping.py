"""What ends a training before its length does, and what each rule saw.

A rule keeps what it has seen; whether that is enough is computed from it and the present settings, so that a
resume with another threshold, or without the rule, goes on.
"""

from collections.abc import Sequence
from typing import Any

from dltool.engine.clock import Clock


def better(value: float, than: float | None, direction: str, min_delta: float = 0.0) -> bool:
    """Whether a value improves on another; NaN never does, and anything does on None."""
    if value != value:
        return False
    return than is None or (value < than - min_delta if direction == "min" else value > than + min_delta)


class Stopping:
    """All rules of a training, as the Trainer asks them.

    Args:
        rules: Any of these together; the first one that is satisfied ends the training.
        every_n_steps: Period at which rules that watch steps look at one; they cost nothing at the others.
    """

    def __init__(self, rules: Sequence["Rule"] = (), every_n_steps: int = 1) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self.every_n_steps = every_n_steps
        self.step_rules = [rule for rule in rules if rule.watches_steps]
        self.watching: list[Rule] = []

    def observe(self, record: dict[str, Any]) -> None:
        """Show a line of metrics.jsonl to the rules."""
        for rule in self.rules.values():
            rule.observe(record)

    def before_step(self, step: int) -> None:
        """Before a step, `step` others having been taken."""
        if self.step_rules and (step + 1) % self.every_n_steps == 0:
            self.watching = self.step_rules
            for rule in self.watching:
                rule.before_step()

    def after_step(self) -> None:
        """After the step that before_step announced."""
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

    def state_dict(self) -> dict[str, Any]:
        return {name: rule.state_dict() for name, rule in self.rules.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict gave; a rule that is new in this process begins with nothing seen."""
        for name, rule in self.rules.items():
            if name in state:
                rule.load_state_dict(state[name])


class Rule:
    """One reason to stop.

    Attributes:
        name: The key below `stop` that switches it on; the run's `stopped_by`.
        subject: What it looks at, such as "val/loss". What was seen of another subject is of no use.
        remembers: Names of the attributes that are its state.
        watches_steps: Whether before_step and after_step are to be called.
    """

    name: str
    subject: str = ""
    remembers: tuple[str, ...] = ()
    watches_steps = False

    def observe(self, record: dict[str, Any]) -> None:
        """Look at a line of metrics.jsonl."""

    def before_step(self) -> None:
        """Before a step that is looked at."""

    def after_step(self) -> None:
        """After a step that is looked at."""

    def reason(self) -> str | None:
        """What was seen and the setting that it satisfies, for a person; None where it does not."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        return {"subject": self.subject, **{name: getattr(self, name) for name in self.remembers}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["subject"] == self.subject:
            for name in self.remembers:
                setattr(self, name, state[name])


class MaxMinutes(Rule):
    """The training, all its processes together, has taken so long. Looked at between steps."""

    name = "max_minutes"

    def __init__(self, clock: Clock, max_minutes: float) -> None:
        self.clock = clock
        self.max_minutes = max_minutes

    def reason(self) -> str | None:
        minutes = self.clock.seconds / 60
        if minutes < self.max_minutes:
            return None
        return f"{minutes:.4g} minutes of training are over (stop.max_minutes={self.max_minutes})"


class Target(Rule):
    """A metric has reached a value."""

    name = "target"
    remembers = ("value",)

    def __init__(self, metric: str, direction: str, target: float) -> None:
        self.subject = metric
        self.direction = direction
        self.target = target
        self.value: float | None = None

    def observe(self, record: dict[str, Any]) -> None:
        self.value = record.get(self.subject, self.value)

    def reason(self) -> str | None:
        # The value itself is enough: what is no better than it is worse than the target.
        if self.value is None or self.value != self.value or better(self.target, self.value, self.direction):
            return None
        return f"{self.subject} reached {self.value:.6g} (stop.target={self.target})"


class Patience(Rule):
    """A metric has not improved, by more than `min_delta`, for so many evaluations in a row: early stopping."""

    name = "patience"
    remembers = ("best", "waited")

    def __init__(self, metric: str, direction: str, patience: int, min_delta: float = 0.0) -> None:
        self.subject = metric
        self.direction = direction
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

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
        times = f"{self.waited} evaluation{'s' * (self.waited > 1)}"
        return f"{self.subject} did not improve on {best} for {times} (stop.patience={self.patience})"


class LossChange(Rule):
    """The loss moves no more: the largest minus the smallest of its newest n + 1 values is below a bound."""

    name = "loss_change"
    remembers = ("losses",)

    def __init__(self, metric: str, loss_change: float, num_evaluations: int) -> None:
        self.subject = metric
        self.loss_change = loss_change
        self.num_evaluations = num_evaluations
        self.losses: list[float] = []

    def observe(self, record: dict[str, Any]) -> None:
        if self.subject in record:
            self.losses = [*self.losses, record[self.subject]][-self.num_evaluations - 1 :]

    def reason(self) -> str | None:
        newest = self.losses[-self.num_evaluations - 1 :]
        if len(newest) <= self.num_evaluations:
            return None
        change = max(newest) - min(newest)
        if not change < self.loss_change:  # Also where a loss was NaN.
            return None
        times = f"{self.num_evaluations} evaluation{'s' * (self.num_evaluations > 1)}"
        return f"{self.subject} changed by {change:.3g} over {times} (stop.loss_change={self.loss_change})"
