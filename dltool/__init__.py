"""dltool: train every classic deep-learning model from one shell line and a few lines of YAML.

From Python, `dltool.train([…])` and `dltool.load(run)`; see dltool.api.
"""

from typing import TYPE_CHECKING, Any

from dltool.core.process import VERSION as __version__

if TYPE_CHECKING:
    from dltool.api import Run, load, resume, train

__all__ = ["Run", "__version__", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    """`train`, `resume`, `load` and `Run` import torch, which quick commands do not need."""
    if name in ("Run", "load", "resume", "train"):
        from dltool import api

        return getattr(api, name)
    raise AttributeError(f"module 'dltool' has no attribute {name!r}")
