"""The name under which dltool is installed, which is not that of its package and its command."""

from functools import cache

NAME = "dltool-torch"  # As in pyproject.toml, by test.
SCRIPT = "dltool.cli.main:main"


@cache
def distribution() -> str:
    """The installed distribution that provides the command `dltool`; NAME if dltool runs from its source."""
    from importlib import metadata

    for script in metadata.entry_points(group="console_scripts", name="dltool"):
        if script.value == SCRIPT and script.dist is not None:
            return script.dist.name
    return NAME


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "{distribution()}[{extra}]"'
