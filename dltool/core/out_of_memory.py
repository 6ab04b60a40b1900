"""Recognizes that memory ran out, on the host or on a device, and measures the most that was used."""

import sys
from typing import Any

HOST_ALLOCATORS = ("can't allocate memory", "not enough memory")  # What torch's allocators of the host say.


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's, torch's on a device, or torch's on the host."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in HOST_ALLOCATORS)


def peak_memory(device: Any) -> int:
    """The most bytes that this process has used: on a GPU those of its tensors, else those of the host.

    Args:
        device: A torch.device.

    Returns:
        0 if it is unknown.
    """
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows.
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1024 * used
