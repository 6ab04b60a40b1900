"""dltool: train every classic deep-learning model from one shell line and a few lines of YAML.

From Python, `dltool.train([…])` and `dltool.load(run)`; see dltool.cli.api.
"""

from typing import TYPE_CHECKING, Any

from dltool.core.process import VERSION as __version__

if TYPE_CHECKING:
    from dltool.cli.api import Run, load, train

__all__ = ["Run", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    """`train`, `load` and `Run` import torch, which quick commands do not need."""
    if name in ("Run", "load", "train"):
        from dltool.cli import api

        return getattr(api, name)
    raise AttributeError(f"module 'dltool' has no attribute {name!r}")
