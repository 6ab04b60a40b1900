"""Opens a run's checkpoints by name, without changing the run: it may still be training."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.safe_read import read_text
from dltool.core.shell import quoted
from dltool.engine.checkpoint import MAX_POINTER, Checkpoint, committed, load, load_newest

CHECKPOINTS, POINTERS = "checkpoints", ("last", "best")


def open_checkpoint(folder: Path, name: str, warn: Callable[[str], None]) -> Checkpoint:
    """Read one of the checkpoints of a run.

    Args:
        folder: RUN/checkpoints.
        name: "last" is the newest undamaged one; "best" or a folder's name such as "step-000680" is exactly that one.
        warn: Called with a line about each damaged one that "last" skips.

    Raises:
        ConfigError: If no checkpoint exists, or none of that name.
        CheckpointError: If it is damaged.
    """
    if name == "last" and (newest := load_newest(folder, warn)) is not None:
        return newest
    return load(find_checkpoint(folder, name))


def find_checkpoint(folder: Path, name: str, spelling: Callable[[str], str] = "--checkpoint {}".format) -> Path:
    """The folder that "last", "best" or a name such as "step-000680" refers to.

    Args:
        folder: RUN/checkpoints.
        name: The name of a checkpoint.
        spelling: Returns what the user types for a name, for the hint.

    Raises:
        ConfigError: If no checkpoint exists, or none of that name.
    """
    paths = committed(folder)
    if not paths:
        raise ConfigError(f"{folder.parent.resolve()} has no checkpoint yet", f"dltool resume {quoted(folder.parent)}")
    path, pointer = folder / name, name in POINTERS and (folder / name).is_file()
    if pointer:
        path = folder / read_text(path, MAX_POINTER).strip()
    elif name == "last":
        path = paths[0]
    if path not in paths:
        existing = [*(word for word in POINTERS if (folder / word).is_file()), *(one.name for one in reversed(paths))]
        missing = "no best checkpoint: no metric was monitored" if name == "best" else f"no checkpoint {name}"
        message = f"{folder.parent.resolve()} has {missing}; there are {', '.join(existing)}"
        raise ConfigError(message, spelling(paths[0].name))
    return path


def weights_in_use(checkpoint: Checkpoint, *, averaged: bool = True) -> tuple[dict[str, Tensor], str]:
    """The weights that evaluations use, and a note about them for the user; "" for the plain training weights.

    Args:
        checkpoint: The checkpoint with the weights.
        averaged: False takes the training weights even if the checkpoint has an average.
    """
    average = checkpoint.state.get("average")
    if not averaged and average and average["num_updates"]:
        return checkpoint.weights, "not averaged"
    if not average or not average["num_updates"]:
        return checkpoint.weights, ""
    if not average["statistics_are_fresh"]:  # The training too would recompute them in an epoch first.
        return checkpoint.weights, "not averaged: the statistics of batch norm for its average were never computed"
    return checkpoint.weights | average["weights"], "averaged weights"
