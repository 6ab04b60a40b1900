"""Values that leave the machine or the output root: the command line may set them, a config file may not."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dltool.core.process import OUTPUT_ROOT


def below_output_root(path: str | None) -> bool:
    """Whether a path, with links resolved, is inside the output root; true for null."""
    root = os.path.realpath(OUTPUT_ROOT)
    return path is None or os.path.commonpath([root, os.path.realpath(path)]) == root


def is_local_database(uri: str | None) -> bool:
    """Whether an MLflow URI is null, or an SQLite file inside the output root without options of the driver."""
    scheme, separator, path = (uri or "sqlite:///outputs").partition(":///")
    return scheme == "sqlite" and bool(separator) and not set("?#") & set(path) and below_output_root(path)


@dataclass(frozen=True)
class CommandLineOnly:
    """A key whose value may leave the machine or the output root: only the command line may then set it.

    Attributes:
        harmless: Whether a file may contain this value too.
        what: A description of a value that is not harmless.
        default: A harmless value, for the config that is saved with the run.
    """

    harmless: Callable[[Any], bool]
    what: str
    default: Any = None


COMMAND_LINE_ONLY = {
    "run.dir": CommandLineOnly(below_output_root, "a path outside the output root"),
    "data.download": CommandLineOnly(lambda download: not download, "a download", False),
    "model.download": CommandLineOnly(lambda download: not download, "a download", False),
    "logger.wandb.mode": CommandLineOnly(lambda mode: mode == "offline", "sending to a server", "offline"),
    "logger.mlflow.uri": CommandLineOnly(is_local_database, "a store outside the output root"),
}
