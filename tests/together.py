"""Runs a function in several processes that form a team, each forked from the test's, which has imported torch."""

import multiprocessing
import os
import pickle
import socket
import traceback
from collections.abc import Callable
from datetime import timedelta
from queue import Empty
from typing import Any

import torch

from dltool.distributed.team import Team, join_launched

SECONDS = 90


def together(size: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """The result of `function(team, *arguments)` in each process, in the order of the ranks.

    Raises:
        AssertionError: A process failed, with its traceback, or does not end.
    """
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    port = free_port()
    processes = [
        context.Process(target=run, args=(rank, size, port, results, function, arguments), daemon=True)
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    found: dict[int, Any] = {}
    try:
        while len(found) < size:
            rank, value, error = results.get(timeout=SECONDS)
            assert error is None, f"rank {rank}: {error}"
            found[rank] = pickle.loads(value)  # By value: torch would send tensors by reference.
    except Empty:
        raise AssertionError(f"only the ranks {sorted(found)} ended within {SECONDS} s") from None
    finally:
        for process in processes:
            process.kill()
    return [found[rank] for rank in range(size)]


def run(rank: int, size: int, port: int, results: Any, function: Callable[..., Any], arguments: Any) -> None:
    torch.set_num_threads(1)
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": rank, "LOCAL_RANK": rank}
    os.environ.update({name: str(value) for name, value in (place | dict.fromkeys(SIZES, size)).items()})
    try:
        team: Team = join_launched(timedelta(seconds=SECONDS))
        results.put((rank, pickle.dumps(function(team, *arguments)), None))
        team.leave()
    except BaseException:
        results.put((rank, None, traceback.format_exc()))


SIZES = ("WORLD_SIZE", "LOCAL_WORLD_SIZE")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
