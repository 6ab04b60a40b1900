"""The observer that a config chooses."""

from dltool.config.check import Config
from dltool.declarations.construct import build_component
from dltool.engine.observer import Observer, Watched


def build_observer(config: Config, watched: Watched) -> Observer | None:
    """The user's own observer; None if the config has none.

    Raises:
        ConfigError: If the trusted file, or the constructor in it, fails, or it is not an Observer; with the line.
    """
    declared = config.components["observer"]
    return None if declared.name == "none" else build_component(declared, config["observer"], watched, base=Observer)
