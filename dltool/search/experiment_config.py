"""The config of an experiment without a user's overrides."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from dltool.config.check import Config, check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.search.experiment_header import Header


def experiment_config(name: str, header: Header, config_dirs: Sequence[Path] = ()) -> Config | None:
    """The checked config; None if a value is missing that only a user can name.

    Args:
        name: The experiment.
        header: Its header; the command in it names the files of the data, without which some configs are incomplete.
        config_dirs: Folders of the user's own options.
    """
    for words in ([], place_words(header)):
        try:
            return check(compose([f"experiment={name}", *words], config_dirs))
        except ConfigError:
            continue
    return None


def place_words(header: Header) -> list[str]:
    """The overrides in the header's command that say where the data is, such as data.path=adult.data."""
    words = shlex.split(header.commands[0]) if header.commands else []
    return [word for word in words if word.startswith("data.")]
