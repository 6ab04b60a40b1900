"""Experiment trackers: their names, the packages they need, and their base class."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.config.settings import LoggerSettings
from dltool.config.tree import leaves
from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.safe_read import regular_files
from dltool.core.shell import in_grammar
from dltool.engine.observer import Outcome
from dltool.observers.mirror import Mirror
from dltool.report.write import REPORT
from dltool.runs.folder import RunFolder

# Name in `logger.to` to its module, class and the packages that it imports.
TRACKERS = {
    "tensorboard": ("dltool.observers.tensorboard_log", "TensorboardLog", ["tensorboard"]),
    "wandb": ("dltool.observers.wandb_log", "WandbLog", ["wandb"]),
    "mlflow": ("dltool.observers.mlflow_log", "MlflowLog", ["mlflow", "sqlalchemy", "alembic"]),
}


class Tracker(Mirror):
    """A copy of metrics.jsonl in a tracker, with the config as hyperparameters and the images of the run.

    Args:
        run, warn: See Mirror.
        config: The whole config.
        settings: The config group `logger`, as settings.
    """

    def __init__(
        self, run: RunFolder, warn: Callable[[str], None], *, config: dict[str, Any], settings: LoggerSettings
    ) -> None:
        super().__init__(run, warn)
        self.config = config
        self.settings = settings

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Raise ConfigError for settings that cannot work, before the training; `settings` is the logger's config."""

    def on_end(self) -> None:
        """Nothing yet: the page of the run, which the tracker gets, is written later."""

    def on_outcome(self, outcome: Outcome) -> None:
        self._attempt(lambda: self.close(outcome.state))

    def hyperparameters(self) -> dict[str, bool | int | float | str]:
        """The config flat, dotted key to value; null and lists as text."""
        return {
            key: value if isinstance(value, bool | int | float | str) else "null" if value is None else str(value)
            for key, value in leaves(self.config)
        }

    @property
    def report(self) -> Path | None:
        """The page of the run; None if there is none."""
        path = self.run.path / REPORT
        return path if path.is_file() and not path.is_symlink() else None

    def pictures(self) -> dict[str, list[Path]]:
        """Folder of the run to the images in it, in the order in which they were drawn."""
        found = {name: regular_files(self.run.path / name, ".png") for name in ("plots", "samples")}
        return {name: paths for name, paths in found.items() if paths}


def tracker_class(name: str) -> type[Tracker]:
    """The class for a name of `logger.to`. The tracker's package, slow to import, is imported only when it opens."""
    module, class_name, _ = TRACKERS[name]
    found: type[Tracker] = getattr(importlib.import_module(module), class_name)
    return found


def check_trackers(settings: Mapping[str, Any]) -> None:
    """Check that the chosen trackers can work, before anything is trained or written.

    Args:
        settings: The config of the group `logger`.

    Raises:
        ConfigError: If a package is missing, or a tracker rejects its settings.
    """
    for name in settings["to"]:
        _, _, packages = TRACKERS[name]
        if missing := [package for package in packages if importlib.util.find_spec(package) is None]:
            names = f"the package{'s' if missing[1:] else ''} {', '.join(missing)}"
            raise ConfigError(f"logger.to={in_grammar([name])} needs {names}", install(name))
        tracker_class(name).check(settings)


def make_trackers(
    names: Sequence[str], run: RunFolder, warn: Callable[[str], None], config: dict[str, Any], settings: LoggerSettings
) -> list[Tracker]:
    """The trackers of `logger.to`, each once."""
    return [tracker_class(name)(run, warn, config=config, settings=settings) for name in dict.fromkeys(names)]
