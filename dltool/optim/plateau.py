"""The schedule that waits for a metric to stop improving; the only schedule with a state."""

import math
from typing import Any, Literal

from dltool.core.errors import ConfigError
from dltool.declarations.component import Fraction, NonNegative, Probability, register, requires
from dltool.metrics.directions import declared_direction
from dltool.optim.schedule import Schedule


@register("schedule", "plateau")
@requires(
    lambda config: config.schedule.metric is not None or config.task.loss_for != "gan",
    "schedule=plateau needs a metric, and a GAN has no main metric",
    hint="schedule.metric=val/NAME schedule.mode=min",
)
class Plateau(Schedule):
    """Multiply the learning rate by `factor` when a metric has not improved for a while.

    Torch's ReduceLROnPlateau, counted in evaluations. Two deviations. The minimum learning rate is relative to
    the base one. The threshold is relative to the absolute best value, where torch keeps its sign and so
    counts a slightly worse negative value as better.

    Args:
        factor: Factor of each reduction.
        patience: Evaluations without improvement that are tolerated; the next one reduces.
        threshold: Smallest improvement that counts, relative to the best value or absolute.
        threshold_mode: "rel" or "abs".
        cooldown: Evaluations after a reduction that are not counted as bad.
        min_factor: Minimum product of all reductions.
        metric: A metric of the validation split such as "val/loss"; null takes the task's main metric.
        mode: Whether lower or higher is better. "auto" is the direction that the metric, or the task that reports it,
            declares.
        warmup_steps, warmup_start: As in Schedule; evaluations during the warm-up are counted.
    """

    def __init__(
        self,
        *,
        factor: Fraction[float] = 0.1,
        patience: NonNegative[int] = 10,
        threshold: NonNegative[float] = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: NonNegative[int] = 0,
        min_factor: Probability[float] = 0.0,
        metric: str | None = None,
        mode: Literal["auto", "min", "max"] = "auto",
        warmup_steps: NonNegative[int] = 0,
        warmup_start: Probability[float] = 0.0,
    ) -> None:
        super().__init__(self.present_factor, warmup_steps=warmup_steps, warmup_start=warmup_start)
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_factor = min_factor
        self.metric = metric
        self.mode = mode
        self.best: float | None = None
        self.num_bad = 0
        self.cooldown_left = 0
        self.product = 1.0

    def present_factor(self, t: float, total: float) -> float:
        return self.product

    def observe(self, metrics: dict[str, float], main_metric: tuple[str, str] | None) -> None:
        """Count one evaluation, and reduce the factor if patience is exhausted.

        Raises:
            ConfigError: If the metric is not in `metrics`, or none is named and the task has no main one.
        """
        value = find(self.name_of(main_metric), metrics)
        _, direction = self.monitored(main_metric)
        if self.improves(value, direction):
            self.best = value
            self.num_bad = 0
        else:
            self.num_bad += 1
        if self.cooldown_left > 0:
            self.cooldown_left -= 1
            self.num_bad = 0
        if self.num_bad > self.patience:
            self.product = max(self.product * self.factor, self.min_factor)
            self.cooldown_left = self.cooldown
            self.num_bad = 0

    def name_of(self, main_metric: tuple[str, str] | None) -> str:
        """The monitored metric. Raises ConfigError if none is named."""
        name = self.metric or (main_metric[0] if main_metric is not None else None)
        if name is None:
            message = "schedule=plateau needs a metric, and the task has no main one"
            raise ConfigError(message, "schedule.metric=val/NAME schedule.mode=min")
        return name

    def monitored(self, main_metric: tuple[str, str] | None) -> tuple[str, str]:
        """The monitored metric and its direction, "min" or "max".

        Raises:
            ConfigError: No metric is named, or nothing declares its direction.
        """
        main, direction = main_metric or (None, "")
        name = self.name_of(main_metric)
        if self.mode == "auto" and main is not None and name.removeprefix("val/") == main.removeprefix("val/"):
            return name, direction
        declared = declared_direction(name) if self.mode == "auto" else self.mode
        if declared is None:
            problem = "neither the metric nor a task declares whether lower or higher is better"
            raise ConfigError(f"schedule.metric={name}: {problem}", "schedule.mode=min, or schedule.mode=max")
        return name, declared

    def improves(self, value: float, direction: str) -> bool:
        """Whether `value` is better than the best so far by more than the threshold; NaN never is."""
        if self.best is None:
            return not math.isnan(value)
        margin = self.threshold * (abs(self.best) if self.threshold_mode == "rel" else 1.0)
        return value < self.best - margin if direction == "min" else value > self.best + margin

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "num_bad": self.num_bad,
            "cooldown_left": self.cooldown_left,
            "product": self.product,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = state["best"]
        self.num_bad = state["num_bad"]
        self.cooldown_left = state["cooldown_left"]
        self.product = state["product"]


def find(name: str, metrics: dict[str, float]) -> float:
    """The metric of that name, with or without the split as a prefix."""
    for key in (name, f"val/{name}", name.removeprefix("val/")):
        if key in metrics:
            return metrics[key]
    raise ConfigError(f"schedule.metric={name}: the evaluation has only {', '.join(metrics)}", "schedule.metric=null")
