"""The folder of a run that ended at its creation: by a kill or a power cut before its config.yaml was written."""

from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.runs.lock import LOCK, is_held

# What is written before config.yaml; temporary files are .tmp-*.
FIRST_NAMES = frozenset((LOCK, "status.json", "preprocessing.json", "data.json", "environment.json", "log.txt"))


def never_began(path: Path) -> ConfigError | None:
    """The error for such a folder; None if it has a config.yaml, or anything that is written later.

    Nothing is lost with it, as the first checkpoint follows config.yaml.
    """
    if not path.is_dir():
        return None
    checkpoints = path / "checkpoints"
    names = {entry.name for entry in path.iterdir() if not entry.name.startswith(".tmp-")}
    if checkpoints.is_dir() and not any(checkpoints.iterdir()):
        names.discard(checkpoints.name)
    if not names <= FIRST_NAMES:
        return None
    if (path / LOCK).exists() and is_held(path):
        return ConfigError(f"another process is creating a run in {path.resolve()}", "wait until it has begun")
    if not any(path.iterdir()):
        return ConfigError(
            f"{path.resolve()} is not a run folder: it is empty; if a run was to be in it, it never began",
            "name a folder created by `dltool train`, below outputs/",
        )
    return ConfigError(
        f"the run in {path.resolve()} never began: its process ended before it had written config.yaml",
        f"rm -r {quoted(path)}, then the command that should begin it",
    )
