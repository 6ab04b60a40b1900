"""How another process ended."""

import signal

INTERRUPTED = (130, 143)  # By SIGINT or SIGTERM, with a checkpoint.
LOST = 255  # Of a job that a cluster ended, or whose machine failed.


def describe_exit(code: int) -> str:
    """How a process ended that could not report it itself.

    Args:
        code: As multiprocessing gives it: negative for the number of the signal that killed it.
    """
    if code == LOST:
        return "ended without a result: cancelled, out of time or memory, or its machine failed"
    if code == -signal.SIGKILL:
        return "killed by SIGKILL, perhaps because memory ran out"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
