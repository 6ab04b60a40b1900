"""Ends torchrun's agent on this machine where it does not end by itself."""

import os
import subprocess
import sys
from pathlib import Path

AGENT_SECONDS = 15.0  # For the agent to end by itself after one of its processes.

# Arguments: the process id of the agent, when it started (field 22 of its stat), and the seconds to wait.
WATCH = """
import os, signal, sys, time
agent, started, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None

def lives():
    fields = stat(agent)
    return fields is not None and fields[0] != "Z" and fields[19] == started

deadline = time.monotonic() + seconds
while lives() and time.monotonic() < deadline:
    time.sleep(0.2)
if lives():
    others = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    children = [pid for pid in others if pid != os.getpid() and (stat(pid) or [0, 0])[1] == str(agent)]
    for pid in [*children, agent]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
"""


def end_agent_later() -> None:
    """Called by a process that failed: end the agent, and the other processes that it started, if it still runs later.

    An agent that has lost its connection to that of another machine waits for many minutes and ignores SIGTERM, and one
    whose other processes hang waits for half a minute. An agent that may restart its processes is left alone.
    """
    restarts = [int(os.environ.get(f"TORCHELASTIC_{name}", 0)) for name in ("RESTART_COUNT", "MAX_RESTARTS")]
    if "TORCHELASTIC_RUN_ID" not in os.environ or restarts[0] < restarts[1]:
        return
    agent = os.getppid()
    try:
        started = Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:  # It has ended, or this is not Linux.
        return
    nothing = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", WATCH, str(agent), started, str(AGENT_SECONDS)],
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )
