"""dltool: train every classic deep-learning model from one shell line and a few lines of YAML.

From Python, `dltool.train([…])` and `dltool.load(run)`; see dltool.api.
"""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dltool.api import Run, load, train

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "load", "train"]

# A run's "first_step" and "total" seconds count from here, so that they include importing torch.
IMPORTED_AT = time.monotonic()


def __getattr__(name: str) -> Any:
    """`train`, `load` and `Run` import torch, which the command line's quick answers do without."""
    if name in ("Run", "load", "train"):
        from dltool import api

        return getattr(api, name)
    raise AttributeError(f"module 'dltool' has no attribute {name!r}")
