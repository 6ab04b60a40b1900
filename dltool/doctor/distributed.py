"""`dltool doctor --distributed`: whether several processes can train together, and how fast they exchange numbers."""

import os
import platform
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

from dltool.core.errors import DltoolError
from dltool.core.process import VERSION, is_launched
from dltool.distributed.members import led
from dltool.distributed.team import Team, join_launched, launched_address
from dltool.doctor.finding import Finding, as_size
from dltool.engine.device import choose_device

SECTION = "distributed"
TIMEOUT = timedelta(seconds=30)
TEST_SECONDS = 2.0
NUMBERS = 2**22  # 16 MiB, the gradients of a network with four million parameters.
VARIABLE = "GLOO_SOCKET_IFNAME"


@dataclass(frozen=True)
class Place:
    """What a process reports of itself."""

    host: str
    device: str
    torch: str
    dltool: str
    python: str


def distributed() -> Iterator[Finding]:
    """The findings of rank 0; the other processes that torchrun started find nothing."""
    wrong = list(misconfigured())
    if not (is_launched() and int(os.environ["RANK"])):
        yield Finding(SECTION, "backends", "ok", backends())
        yield Finding(SECTION, "interfaces", "ok", ", ".join(interfaces()))
    yield from wrong
    if wrong:
        return
    try:
        yield from launched() if is_launched() else started()
    except DltoolError as error:
        yield Finding(SECTION, "connection", "problem", error.message, error.hint)


def backends() -> str:
    cuda = torch.cuda.is_available() and dist.is_nccl_available()
    nccl = f"NCCL {'.'.join(map(str, torch.cuda.nccl.version()))} for CUDA" if cuda else "no NCCL, as there is no CUDA"
    return f"gloo for the CPU, {nccl}"


def interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def misconfigured() -> Iterator[Finding]:
    """Settings of this process's environment with which no connection is possible."""
    named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    for name in named:
        if name not in interfaces():
            text = f"{VARIABLE} names {name}, which {platform.node()} does not have"
            yield Finding(SECTION, VARIABLE, "problem", text, f"one of {', '.join(interfaces())}; or unset {VARIABLE}")
    if not is_launched():
        return
    host, _, port = launched_address().rpartition(":")
    try:
        address = socket.gethostbyname(host)
    except OSError as error:
        text = f"{platform.node()} does not know the host {host}: {error.strerror}"
        yield Finding(SECTION, "MASTER_ADDR", "problem", text, "its address in numbers, in --rdzv-endpoint")
        return
    if int(os.environ["RANK"]) and (problem := unreachable(address, int(port))):
        text = f"{platform.node()} cannot reach {host}:{port}: {problem}"
        yield Finding(SECTION, "MASTER_ADDR", "problem", text, "open this port in the firewall of that machine")


def unreachable(address: str, port: int) -> str | None:
    """Why a port cannot be reached within the timeout; None if it can."""
    deadline = time.monotonic() + TIMEOUT.total_seconds() / 3
    while True:
        try:
            socket.create_connection((address, port), timeout=5).close()
        except OSError as error:
            if time.monotonic() > deadline:
                return error.strerror or str(error)
            time.sleep(0.2)  # Rank 0 may not listen yet.
        else:
            return None


def launched() -> Iterator[Finding]:
    """The test of the processes that torchrun started."""
    team = join_launched(TIMEOUT)
    found = examine(team)
    team.leave()
    if team.is_first:
        yield from found


def started() -> Iterator[Finding]:
    """The test of processes on this machine, one for each GPU, or two on the CPU."""
    with led(max(torch.cuda.device_count(), 2), TIMEOUT, follow) as team:
        yield from examine(team)


def follow(team: Team) -> int:
    """The part of a process that rank 0 started; returns its exit code."""
    examine(team)
    return 0


def examine(team: Team) -> list[Finding]:
    """Compare the processes, and add up a tensor over them; called by each."""
    on_cuda = torch.cuda.device_count() >= team.local_size
    device = choose_device("cuda" if on_cuda else "cpu", team.local_rank, team.local_size)
    if on_cuda:
        torch.cuda.set_device(device)
    place = Place(platform.node(), str(device), torch.__version__, VERSION, platform.python_version())
    places = team.gather(place)
    found = [of_rank(rank, place, places[0]) for rank, place in enumerate(places)]
    return [*found, addition(team, device), speed(team, device)]


def of_rank(rank: int, place: Place, first: Place) -> Finding:
    """Where a process runs; a problem if its versions are not those of rank 0."""
    text = f"{place.host}, {place.device}, torch {place.torch}, dltool {place.dltool}, Python {place.python}"
    for package in ("torch", "dltool"):
        own, wanted = getattr(place, package), getattr(first, package)
        if own != wanted:
            hint = f"install {package} {wanted} on {place.host}"
            return Finding(SECTION, f"rank {rank}", "problem", f"{text}, but rank 0 has {package} {wanted}", hint)
    return Finding(SECTION, f"rank {rank}", "ok", text)


def addition(team: Team, device: torch.device) -> Finding:
    """Whether the sum of a tensor over the processes is right."""
    tensor = torch.full((1000,), float(team.rank + 1), device=device)
    team.sum_([tensor])
    expected = team.size * (team.size + 1) / 2
    if not bool((tensor == expected).all()):
        text = f"1 + … + {team.size} gives {float(tensor[0]):g}, not {expected:g}"
        return Finding(SECTION, "addition", "problem", text, "do not train on these devices together")
    return Finding(SECTION, "addition", "ok", f"of a tensor over {team.size} processes is right")


def speed(team: Team, device: torch.device) -> Finding:
    """The time of a sum of 16 MiB over the processes, the mean of about two seconds."""
    tensor = torch.zeros(NUMBERS, device=device)
    seconds(team, tensor, 1)  # Opens the connections.
    times = team.from_first(min(max(int(TEST_SECONDS / seconds(team, tensor, 1)), 1), 200))
    each = team.from_first(seconds(team, tensor, times))
    size = 4 * NUMBERS
    rate = 2 * (team.size - 1) / team.size * size / each  # Sent by each process, as NCCL's tests count it.
    text = f"{as_size(size)} over {team.size} processes in {1000 * each:.1f} ms, {rate / 1e9:.2f} GB/s for each"
    return Finding(SECTION, "speed", "ok", text)


def seconds(team: Team, tensor: torch.Tensor, times: int) -> float:
    """The mean time of a sum over the processes."""
    team.gather(None)  # All begin together.
    start = time.perf_counter()
    for _ in range(times):
        team.sum_([tensor])
    if tensor.is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / times
