"""Raw samples to predict from: files, arrays, tensors, texts, mappings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from dltool.core.errors import DataError

Raw = str | Path | Mapping[str, Any] | Sequence[Any] | Tensor | np.ndarray
Named = tuple[list[str], Tensor]  # The name of each sample, and the samples as model inputs.


def as_paths(inputs: Raw) -> list[Path] | None:
    """The inputs as paths if they are paths, else None."""
    if isinstance(inputs, (str, Path)):
        return [Path(inputs).expanduser()]
    if isinstance(inputs, Sequence) and inputs and all(isinstance(path, (str, Path)) for path in inputs):
        return [Path(path).expanduser() for path in inputs]
    return None


def refuse_frame(inputs: Any, hint: str) -> None:
    """Raises DataError for a data frame: read as an array, its columns would be taken by position, not by name."""
    if hasattr(inputs, "columns") and hasattr(inputs, "to_numpy"):
        raise DataError("a data frame is not read by position", hint)
