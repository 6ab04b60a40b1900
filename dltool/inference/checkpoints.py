"""Which of a run's checkpoints is used, read without touching the run: it may still be training."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from dltool.engine.checkpoint import Checkpoint, load, sequence
from dltool.errors import CheckpointError, ConfigError

POINTERS = ("last", "best")


def open_checkpoint(folder: Path, name: str, warn: Callable[[str], None]) -> Checkpoint:
    """Read one of the checkpoints in a run's folder of them.

    Args:
        folder: RUN/checkpoints.
        name: "last" is the newest undamaged one; "best", or a folder's name such as "step-000680", is that one.
        warn: Told of each damaged one that "last" passes over.

    Raises:
        ConfigError: There is none, or none of that name.
        CheckpointError: It is damaged.
    """
    paths = sorted(folder.glob("step-*"), key=sequence, reverse=True)
    if not paths:
        raise ConfigError(f"{folder.parent} has no checkpoint yet", f"dltool resume {folder.parent}")
    if name == "last":
        return newest(paths, warn)
    path = folder / name
    if name == "best" and path.is_file():
        path = folder / path.read_text(encoding="utf-8").strip()
    if path not in paths:
        there = [*(pointer for pointer in POINTERS if (folder / pointer).is_file()), *(one.name for one in paths)]
        what = "no best checkpoint: no metric was followed" if name == "best" else f"no checkpoint {name}"
        raise ConfigError(f"{folder.parent} has {what}", f"--checkpoint {'|'.join(there)}")
    return load(path)


def newest(paths: list[Path], warn: Callable[[str], None]) -> Checkpoint:
    for path in paths:
        try:
            return load(path)
        except CheckpointError as error:
            warn(f"{error.message}; the one before is taken")
    raise CheckpointError(
        f"none of the {len(paths)} checkpoints in {paths[0].parent.resolve()} is undamaged", "train anew: --from RUN"
    )


def weights_in_use(checkpoint: Checkpoint) -> tuple[dict[str, Tensor], bool]:
    """The weights that evaluations use, and whether they are an average of the training's."""
    average = checkpoint.state.get("average")
    if not average or not average["num_updates"] or not average["statistics_are_fresh"]:
        return checkpoint.weights, False
    return checkpoint.weights | average["weights"], True
