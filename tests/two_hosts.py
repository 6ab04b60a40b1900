"""Two network namespaces of this machine, which see each other through one cable, in place of two hosts."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from together import free_port


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """One of the namespaces.

    Args:
        number: From 0, the host that the others find.
    """

    def __init__(self, number: int) -> None:
        self.name = f"dltool{os.getpid()}h{number}"
        self.cable = f"cable{number}"
        self.address = f"10.77.0.{number + 1}"
        self.number = number
        self.processes: list[subprocess.Popen[str]] = []
        ip("netns", "add", self.name)

    def connect(self) -> None:
        ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", self.cable)
        for device in (self.cable, "lo"):
            ip("-n", self.name, "link", "set", device, "up")

    def cut(self) -> None:
        """Pull out the cable."""
        ip("-n", self.name, "link", "set", self.cable, "down")

    def torchrun(self, port: int, processes: int, words: Sequence[str], folder: Path) -> "subprocess.Popen[str]":
        """Start this host's processes of a training."""
        command = [
            *("ip", "netns", "exec", self.name, sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"),
            *("--nproc-per-node", str(processes), "--rdzv-id", "1", "--rdzv-backend", "c10d"),
            *("--rdzv-endpoint", f"10.77.0.1:{port}", "--rdzv-conf", f"is_host={int(self.number == 0)}"),
            *("--local-addr", self.address, "-m", "dltool", *words),
        ]
        environment = os.environ | {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "GLOO_SOCKET_IFNAME": self.cable,
            "OMP_NUM_THREADS": "1",
        }
        output = folder / f"host{self.number}.txt"
        with output.open("w") as file:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file, text=True)
        self.processes.append(process)
        return process

    def pids(self) -> list[int]:
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True)
        return [int(word) for word in listed.stdout.split()]

    def kill(self) -> None:
        """End everything on this host at once, as a power cut does."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def seconds_until_empty(self, most: float) -> float:
        """How long until no process is left; fails after `most` seconds."""
        start = time.monotonic()
        while any(not is_zombie(pid) for pid in self.pids()):
            assert time.monotonic() - start < most, self.pids()
            time.sleep(0.1)
        return time.monotonic() - start


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextlib.contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """The hosts exist in this context; skips the test where this is not allowed."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    with contextlib.ExitStack() as ends:
        hosts: list[Host] = []
        for number in (0, 1):
            try:
                hosts.append(Host(number))
            except subprocess.CalledProcessError as error:
                pytest.skip(f"network namespaces are not allowed here: {error.stderr}")
            ends.callback(ip, "netns", "del", hosts[-1].name)
            ends.callback(hosts[-1].kill)
        first, second = hosts
        ip(
            "link",
            "add",
            first.cable,
            "netns",
            first.name,
            "type",
            "veth",
            "peer",
            "name",
            second.cable,
            "netns",
            second.name,
        )
        for host in hosts:
            host.connect()
        yield first, second


def train_on_both(hosts: Sequence[Host], words: Sequence[str], folder: Path, processes: int = 1) -> None:
    """Start a training with processes on each host."""
    port = free_port()
    for host in hosts:
        host.torchrun(port, processes, words, folder)
