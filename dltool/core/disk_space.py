"""Whether a disk has room for what will be written."""

import shutil
from pathlib import Path

from dltool.core.errors import ConfigError


def check_free_space(folder: Path, needed: int, what: str) -> None:
    """Check before anything is written, which may take hours to compute.

    Args:
        folder: It exists.
        needed: Bytes.
        what: What needs them.

    Raises:
        ConfigError: The folder's disk has less.
    """
    if (free := shutil.disk_usage(folder).free) < needed:
        raise ConfigError(
            f"{folder} is on a disk with {free / 1e6:,.1f} MB free; {what} at least {needed / 1e6:,.1f} MB",
            "free disk space, or run.dir=FOLDER on another disk",
        )
