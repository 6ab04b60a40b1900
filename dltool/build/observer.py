"""The observer that a config chooses."""

from dltool.config.check import Config
from dltool.declarations.construct import build_component
from dltool.engine.observer import Watched


def build_observer(config: Config, watched: Watched) -> object | None:
    """The user's own observer, as its constructor returns it; None if the config has none.

    Raises:
        ConfigError: If the trusted file, or the constructor in it, fails; with the line.
    """
    declared = config.components["observer"]
    return None if declared.name == "none" else build_component(declared, config["observer"], watched)
