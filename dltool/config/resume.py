"""What may change when a run is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.config.check import Config, check
from dltool.config.compose import compose_from, leaves
from dltool.errors import ConfigError

# Length, stopping, checkpoints, logging, and what computes. All else would make it another training.
CHANGEABLE = (
    "trainer.epochs",
    "trainer.steps",
    "trainer.early_stopping",
    "trainer.checkpoint",
    "trainer.test",
    "trainer.device",
    "trainer.threads",
    "data.residency",
    "logger",
)


def compose_resume(path: Path, overrides: list[str], auto: Mapping[str, Any]) -> Config:
    """A run's config with overrides.

    Args:
        path: The run's config.yaml.
        overrides: What is to change.
        auto: What each `auto` became in the run, used again.

    Raises:
        ConfigError: For an override of anything that must stay, with the values before and after.
    """
    before = check(compose_from(path, auto, []))
    after = check(compose_from(path, auto, overrides))
    old, new = dict(leaves(before.tree)), dict(leaves(after.tree))
    for key in sorted(old | new):
        if old.get(key) != new.get(key) and not any(key == k or key.startswith(f"{k}.") for k in CHANGEABLE):
            raise ConfigError(
                f"{key} was {old.get(key)} in this run and cannot become {new.get(key)} on resume",
                f"train anew: dltool train --from {path.parent} {key}={new.get(key)}",
            )
    return after
