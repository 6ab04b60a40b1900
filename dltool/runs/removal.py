"""The only place that removes runs: nothing but run folders, none that is in use, never through a link."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from dltool.core.errors import ConfigError, RunError
from dltool.core.safe_read import open_regular
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord
from dltool.runs.description import num_bytes
from dltool.runs.folder import CONFIG, RunFolder
from dltool.runs.lock import LOCK

CONFIG_HEADER = b"# dltool train"


def check_removable(records: Sequence[RunRecord], root: Path) -> None:
    """Refuse the whole removal, before it begins, if one of the runs must stay.

    Raises:
        ConfigError: For a running run, a link, or a folder that dltool did not create.
    """
    for record in records:
        path = record.path
        if record.state == "running":
            raise ConfigError(f"{path} is running; nothing was removed", "stop it with Ctrl-C, or add state!=running")
        below = path.absolute().is_relative_to(root.absolute())
        if path.is_symlink() or (below and not path.resolve().is_relative_to(root.resolve())):
            raise ConfigError(f"{path} is reached through a link; nothing was removed", f"name {path.resolve()} itself")
        if not is_ours(record):
            raise ConfigError(
                f"{path.resolve()} does not look like a run of dltool; nothing was removed", "remove it by hand"
            )
        if Path.cwd().is_relative_to(path.resolve()):
            raise ConfigError(f"{path.resolve()} holds the working directory; nothing was removed", "cd out of it")


def is_ours(record: RunRecord) -> bool:
    """Whether dltool created the folder: many projects have a config.yaml."""
    if record.state != "damaged" or (record.path / LOCK).is_file():
        return True
    try:
        with open_regular(record.path / CONFIG) as config:
            return config.read(len(CONFIG_HEADER)) == CONFIG_HEADER
    except OSError:
        return False


def remove(records: Sequence[RunRecord], root: Path, *, checkpoints_only: bool) -> int:
    """Remove runs that check_removable has accepted, and the folders below `root` that become empty.

    Each run is locked during its removal, so that no other process resumes it.

    Args:
        records: The runs.
        root: Kept, even if it is empty.
        checkpoints_only: Remove the folder `checkpoints` of each, and keep the rest.

    Returns:
        Bytes freed.

    Raises:
        RunError: If the system refuses, with the number of runs already removed.
    """
    freed = 0
    for done, record in enumerate(records):
        run = RunFolder(record.path)
        target = run.checkpoints if checkpoints_only else run.path
        try:
            run.hold()
            size = num_bytes(target) if target.exists() else 0
            if target.is_symlink():
                target.unlink()
            elif target.exists():
                shutil.rmtree(target)  # Removes links, does not follow them.
        except OSError as error:
            raise RunError(
                f"{error.filename or target} cannot be removed: {error.strerror}; {done} of {len(records)} removed",
                f"remove {quoted(target)} by hand",
            ) from error
        finally:
            run.close()
        freed += size
        if not checkpoints_only:
            remove_empty_parents(run.path, root)
    return freed


def remove_empty_parents(path: Path, root: Path) -> None:
    """Remove the date and sweep folders above a removed run, up to the root, if they are empty."""
    top = root.resolve()
    for parent in path.absolute().parents:
        if not parent.resolve().is_relative_to(top) or parent.resolve() == top:
            return
        try:
            parent.rmdir()
        except OSError:  # Not empty.
            return
