"""What a metric's history decides: which evaluation was best, and when to stop early."""

from typing import Any

from dltool.errors import ConfigError


def better(value: float, than: float | None, direction: str, min_delta: float = 0.0) -> bool:
    """Whether a value improves on another; NaN never does, and anything does on None."""
    if value != value:
        return False
    return than is None or (value < than - min_delta if direction == "min" else value > than + min_delta)


def look_up(metrics: dict[str, float], name: str, key: str) -> float:
    """A metric that a setting names.

    Raises:
        ConfigError: Where no evaluation reports it, with those that are reported.
    """
    if name not in metrics:
        raise ConfigError(f"{key}={name}: no evaluation reports it; there are {', '.join(sorted(metrics))}")
    return metrics[name]


class EarlyStopping:
    """Stops after `patience` evaluations in a row without improvement by more than `min_delta`."""

    def __init__(self, metric: str, direction: str, patience: int, min_delta: float = 0.0) -> None:
        self.metric = metric
        self.direction = direction
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

    def observe(self, metrics: dict[str, float]) -> bool:
        """Look at one evaluation; True where the training is to stop."""
        value = look_up(metrics, self.metric, "trainer.early_stopping.metric")
        if better(value, self.best, self.direction, self.min_delta):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.waited = state["best"], state["waited"]
