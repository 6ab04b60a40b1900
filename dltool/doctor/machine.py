"""The machine: processors, memory, their limits, and the compiler."""

import contextlib
import os
import platform
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from dltool.doctor.finding import Finding, as_size

SECTION = "machine"
LITTLE_MEMORY, LITTLE_SHARED_MEMORY = 2**30, 2**28


def machine() -> Iterator[Finding]:
    yield Finding(SECTION, "platform", "ok", f"{platform.platform()}, {platform.machine()}")
    yield processors()
    yield memory()
    if shared := shared_memory():
        yield shared
    yield compiler()


def processors() -> Finding:
    """The model, the cores available to this process, and their load."""
    total = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else total
    text = f"{processor_model()}; {usable} of {total} cores usable"
    if (quota := cores_of_control_group()) is not None:
        text += f", time for {quota:g} of them"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    text += f", load {load:.1f}"
    if load > usable:
        return Finding(SECTION, "processors", "note", text, "other programs are busy: a training will be slow now")
    return Finding(SECTION, "processors", "ok", text)


def processor_model() -> str:
    for line in read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> Finding:
    """The total and the free memory; the smaller of the machine's and the control group's."""
    total, free = machine_memory()
    if total is None:
        return Finding(SECTION, "memory", "note", "this system does not report it")
    text = as_size(total)
    limit, used = control_group_memory()
    if limit is not None and limit < total:
        free = min(free if free is not None else limit, limit - used)
        text += f", limited by the control group to {as_size(limit)}"
    if free is None:
        return Finding(SECTION, "memory", "ok", text)
    text += f"; {as_size(free)} free"
    if free < LITTLE_MEMORY:
        return Finding(SECTION, "memory", "note", text, "torch alone takes half a gibibyte; end other programs")
    return Finding(SECTION, "memory", "ok", text)


def machine_memory() -> tuple[int | None, int | None]:
    """Total bytes and free bytes, as far as the system reports them."""
    lines = (line.split() for line in read(Path("/proc/meminfo")).splitlines())
    sizes = {line[0]: 1024 * int(line[1]) for line in lines if len(line) == 3}
    if "MemTotal:" in sizes:
        return sizes["MemTotal:"], sizes.get("MemAvailable:")
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    return None, None


def control_group_files(controller: str, name: str) -> Iterator[str]:
    """The text of a file of this process's control group and its parents: a container's limits."""
    for line in read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", controller):
            continue
        base = Path("/sys/fs/cgroup", controllers)
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(base) and (text := read(folder / name).strip()):
                yield text


def control_group_memory() -> tuple[int | None, int]:
    """The smallest limit in bytes, of version 2 or 1, and the usage; None for no limit."""
    for limit_name, used_name in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        limits = [int(text) for text in control_group_files("memory", limit_name) if text.isdigit()]
        if limits:
            used = [int(text) for text in control_group_files("memory", used_name) if text.isdigit()]
            return min(limits), used[0] if used else 0
    return None, 0


def cores_of_control_group() -> float | None:
    """Processor time that a container may use, in cores; None for no limit."""
    shares = [text.split() for text in control_group_files("cpu", "cpu.max")]
    return min((int(quota) / int(period) for quota, period in shares if quota != "max"), default=None)


def shared_memory() -> Finding | None:
    """Shared memory, through which data workers transfer batches; containers often have 64 MiB."""
    path = Path("/dev/shm")
    if not path.is_dir():
        return None
    usage = shutil.disk_usage(path)
    text = f"{as_size(usage.total)}, {as_size(usage.free)} free ({path})"
    if usage.free < LITTLE_SHARED_MEMORY:
        hint = "data.workers=0 where workers fail; docker run --shm-size=1g"
        return Finding(SECTION, "shared memory", "note", text, hint)
    return Finding(SECTION, "shared memory", "ok", text)


def compiler() -> Finding:
    """The requirements of trainer.compile=true on a CPU: a C++ compiler, and Python's headers."""
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    if found is None:
        return Finding(SECTION, "C++ compiler", "note", "none: trainer.compile=true needs one", "install g++ or clang")
    if not headers.is_file():
        text = f"{found}, but no {headers}, which trainer.compile=true needs"
        return Finding(SECTION, "C++ compiler", "note", text, "install Python's headers (python3-dev)")
    return Finding(SECTION, "C++ compiler", "ok", found)


def read(path: Path) -> str:
    """The text of a file; empty if it is missing or unreadable."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
