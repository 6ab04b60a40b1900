"""Limits on the memory of data, which `auto` uses for residency and for resized images."""

import os
from pathlib import Path

import torch

LARGEST_RESIZED_SET = 2**30  # Bytes. A larger set takes longer to resize than the first training steps take.


def fits_device(num_bytes: int, device: torch.device) -> bool:
    """Whether data of this size takes at most a quarter of the device's free memory."""
    return num_bytes <= free_memory(device) / 4


def fits_host(num_bytes: int) -> bool:
    """Whether data of this size takes at most half of the memory that the host has available."""
    return num_bytes <= available_memory() / 2


def fits_resized(num_bytes: int, device: torch.device) -> bool:
    """Whether a set of resized images is kept: at most 1 GiB, a quarter of the device's and half of the host's memory.

    Resizing a batch takes a small part of the time that a model needs for such large images, and a set of small images
    is far below the limit.
    """
    return num_bytes <= LARGEST_RESIZED_SET and fits_device(num_bytes, device) and fits_host(num_bytes)


def free_memory(device: torch.device) -> float:
    """Bytes that are free on an accelerator; infinite for the CPU, where data is in host memory anyway."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return float("inf")


def available_memory() -> float:
    """Bytes that this process may still use on the host: the machine's, limited by its control group if it has one."""
    limits = [float("inf")]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        values = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines() if ":" in line)
        if "MemAvailable" in values:
            limits.append(1024 * float(values["MemAvailable"].split()[0]))
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2)
    group, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if group.exists() and used.exists() and (limit := group.read_text(encoding="ascii").strip()) != "max":
        limits.append(float(limit) - float(used.read_text(encoding="ascii")))
    return min(limits)
