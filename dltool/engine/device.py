"""The device, the number of CPU threads, and the reuse of memory that a step frees."""

import contextlib
import ctypes
import os
import time
from pathlib import Path

import torch

from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.shell import setting


def choose_device(name: str, local_rank: int = 0, local_size: int = 1) -> torch.device:
    """The device that a config names; "auto" takes CUDA, then MPS, then the CPU.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1" or "mps".
        local_rank: The number of this process among those of the training on this machine, each of which takes its
            own CUDA device.
        local_size: The number of these processes.

    Raises:
        ConfigError: If this machine does not have the device. A named device is never replaced by another.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and (kind != "cuda" or not index.isdigit())):
        raise ConfigError(f"trainer.device={name}: must be auto, cpu, cuda, cuda:N or mps", "trainer.device=auto")
    if local_size > 1 and (kind == "mps" or index):
        raise ConfigError(
            f"trainer.device={name} is one device, and {local_size} processes need one each",
            "trainer.device=auto, cuda or cpu",
        )
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[kind]
    if kind == "cuda" and local_size > max(count, 1):
        raise ConfigError(
            f"{local_size} processes need a CUDA device each, and this machine has {counted(count, 'CUDA device')}",
            f"{setting('trainer.devices', count)}, or trainer.device=cpu" if count else "trainer.device=cpu",
        )
    index = index or (str(local_rank) if kind == "cuda" else "")
    if int(index or 0) >= count:
        available = f"{counted(count, 'CUDA device')}" if kind == "cuda" else f"no {kind}"
        raise ConfigError(
            f"trainer.device={name}: this machine has {available}", "trainer.device=auto or trainer.device=cpu"
        )
    return torch.device(kind, int(index or 0)) if kind == "cuda" else torch.device(kind)


def choose_threads(threads: int | str, local_size: int = 1) -> int:
    """The number of CPU threads; "auto" takes the cores that no other process is using, at least one.

    Of several processes of one training, which start at the same time, each takes its share of all cores.

    On a busy machine OpenMP's threads wait for each other by spinning: two threads on two loaded cores took
    7 to 10 times as long as one.
    """
    if isinstance(threads, int):
        return threads
    if local_size > 1:
        return max(1, available_cores() // local_size)
    return max(1, available_cores() - busy_cores())


def available_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy_cores() -> int:
    """Cores that other processes are using now.

    Linux reports how many threads are running now; the minimum of five readings leaves out short bursts. Elsewhere
    the load average of the last minute is used, which still counts a run that has just ended.
    """
    try:
        readings = []
        for _ in range(5):
            running = Path("/proc/loadavg").read_text().split()[3].split("/")[0]
            readings.append(int(running) - 1)  # Without this process.
            time.sleep(0.005)
        return max(0, min(readings))
    except (OSError, ValueError, IndexError):
        return round(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 0


def keep_freed_memory() -> None:
    """Have glibc keep the memory that a step frees, instead of returning large blocks to the operating system.

    The system clears each page before it gives it out again: on two cores a step of LeNet at batch 512 took 54 ms
    with this setting and 60 to 74 ms without, a quarter of it in the system. Other C libraries are left as they are.
    """
    mmap_threshold, trim_threshold = -3, -1  # From malloc.h.
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 32 * 2**20)  # The maximum that glibc accepts.
        mallopt(trim_threshold, 2**30)


def describe_device(device: torch.device) -> str:
    """A description for the user: "cpu, 2 threads" or "cuda:0, NVIDIA H200"."""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"{device}, {counted(threads, 'thread')}" if device.type == "cpu" else str(device)
