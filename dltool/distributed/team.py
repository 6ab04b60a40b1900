"""The processes of one training, and what they exchange."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from dltool.core.errors import ConfigError, DltoolError, RunError
from dltool.core.process import is_launched
from dltool.core.safe_path import SafePath

Value = TypeVar("Value")
SOURCE_PLACE = re.compile(r"^\[[^\]]*\]\s*")  # The place in torch's source with which its messages begin.


def reason(error: Exception) -> str:
    """The first line of an exception of torch.distributed, without the place in its source."""
    return SOURCE_PLACE.sub("", (str(error).splitlines() or [type(error).__name__])[0])


def ended_elsewhere(error: Exception) -> DltoolError:
    """The error of a process that lost another one, whose own error is in its own output."""
    return RunError(
        f"another process of the training ended or does not answer: {reason(error)}",
        "see its output, or its log.rankN.txt in the run folder",
    )


@dataclass(eq=False)
class Team:
    """The processes of one training. Every method is called by all of them, in the same order.

    A team of one exchanges nothing, and its methods return their argument at once.

    Attributes:
        rank, size: The number of this process, from 0, and the number of processes.
        local_rank, local_size: The same among the processes on this machine.
        in_step: Whether the processes compute their pieces of a batch now; see dltool.distributed.batch_norm.
        backward_exchanges: Whether a backward pass exchanges numbers itself, as that of a synchronized batch norm.
        explain: Converts the exception of a failed exchange into the error for the user.
        keep_logs: Called by rank 0 with the run folder, for what the other processes on its machine print.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    in_step: bool = False
    backward_exchanges: bool = False
    explain: Callable[[Exception], DltoolError] = ended_elsewhere
    keep_logs: Callable[[SafePath], None] = lambda folder: None
    _pending: tuple[Any, Tensor] | None = field(default=None, repr=False)

    @property
    def is_first(self) -> bool:
        """Whether this process writes and prints: rank 0."""
        return self.rank == 0

    @contextlib.contextmanager
    def exchange(self) -> Iterator[None]:
        """Convert errors of torch.distributed to one that names the process that failed."""
        try:
            yield
        except RuntimeError as error:
            raise self.explain(error) from error

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in place and with the same bits in all of them.

        The numbers are added in the order of the ranks, as one process adds up its micro-batches, whatever the number
        of ranks: each process adds one part of all tensors, and the parts are put together.
        """
        if self.size == 1:
            return
        by_kind = sorted(tensors, key=kind)  # Stable, so the same order in all processes.
        for _, group in groupby(by_kind, key=kind):
            alike = list(group)
            flat = torch.cat([tensor.reshape(-1) for tensor in alike])
            parts = self.begin_sum(flat)().split([tensor.numel() for tensor in alike])
            torch._foreach_copy_(alike, [part.view_as(tensor) for part, tensor in zip(parts, alike, strict=True)])

    def begin_sum(self, flat: Tensor) -> Callable[[], Tensor]:
        """Begin to add up a tensor `(N,)` over the processes, in the order of the ranks.

        Returns:
            Waits for the sum, and returns it; may overwrite `flat`. Called in the order of the sums that were begun.
        """
        if self.size == 2:  # a + b = b + a, to the last bit.
            with self.exchange():
                work: Any = dist.all_reduce(flat, async_op=True)
            return partial(self._reduced, flat, work)
        length = -(-len(flat) // self.size)
        sent = torch.nn.functional.pad(flat, (0, length * self.size - len(flat)))
        received = torch.empty_like(sent)
        with self.exchange():
            work = dist.all_to_all_single(received, sent, async_op=True)
        return partial(self._put_together, sent, received, len(flat), work)

    def _reduced(self, flat: Tensor, work: Any) -> Tensor:
        with self.exchange():
            work.wait()
        return flat

    def _put_together(self, sent: Tensor, received: Tensor, length: int, work: Any) -> Tensor:
        """The sum of all parts, of which this process adds one, from the parts `received` of the processes."""
        parts = received.view(self.size, -1)
        with self.exchange():
            work.wait()
            total = parts[0].clone()
            for part in parts[1:]:
                total += part
            dist.all_gather([*sent.view(self.size, -1)], total)
        return sent[:length]

    def gather(self, value: Value) -> list[Value]:
        """The value of each process, in the order of the ranks; must be picklable."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        with self.exchange():
            dist.all_gather_object(values, value)
        return values

    def gather_rows(self, rows: Tensor) -> Tensor:
        """The rows `(n, …)` of each process, in the order of the ranks; n may differ."""
        if self.size == 1:
            return rows
        counts = self.gather(len(rows))
        padded = rows.new_zeros((max(counts), *rows.shape[1:]))
        padded[: len(rows)] = rows
        received = [torch.empty_like(padded) for _ in counts]
        with self.exchange():
            dist.all_gather(received, padded)
        return torch.cat([part[:count] for part, count in zip(received, counts, strict=True)])

    def from_first(self, value: Value) -> Value:
        """The value of rank 0; must be picklable."""
        if self.size == 1:
            return value
        values: list[Any] = [value]
        with self.exchange():
            dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def copy_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by that of rank 0, in place."""
        if self.size == 1:
            return
        with self.exchange():
            for tensor in tensors:
                contiguous = tensor.detach().contiguous()
                dist.broadcast(contiguous, src=0)
                tensor.detach().copy_(contiguous)

    def largest(self, numbers: Sequence[float]) -> list[float]:
        """The largest of each number over the processes, at the call before this one; zeros at the first call.

        One call later than they are given, since waiting for an answer would stop an accelerator at every step.
        """
        if self.size == 1:
            return list(numbers)
        with self.exchange():
            known = torch.zeros(len(numbers), dtype=torch.float64)
            if self._pending is not None:
                work, known = self._pending
                work.wait()
            asked = torch.tensor(numbers, dtype=torch.float64)
            self._pending = (dist.all_reduce(asked, dist.ReduceOp.MAX, async_op=True), asked)
        return known.tolist()

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """In this context the processes compute their pieces of one batch, so their batch norms may exchange sums."""
        self.in_step = True
        try:
            yield
        finally:
            self.in_step = False

    def leave(self) -> None:
        """End the exchange; called by each process that ends well."""
        if self.size == 1:
            return
        with self.exchange():
            if self._pending is not None:
                self._pending[0].wait()
                self._pending = None
        dist.destroy_process_group()


SOLO = Team()


def kind(tensor: Tensor) -> tuple[str, str]:
    """Tensors of the same kind travel together."""
    return str(tensor.dtype), tensor.device.type


def world_size() -> int:
    """The number of processes that torchrun started; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if is_launched() else 1


def launched_address() -> str:
    """Where the processes that torchrun started meet, "host:port"."""
    return f"{os.environ['MASTER_ADDR']}:{os.environ.get('MASTER_PORT', 29500)}"


def join_launched(timeout: timedelta) -> Team:
    """The team of the processes that torchrun started.

    Raises:
        ConfigError: The others cannot be reached.
    """
    team = Team(
        rank=int(os.environ["RANK"]),
        size=world_size(),
        local_rank=int(os.environ.get("LOCAL_RANK", 0)),
        local_size=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
    )
    begin(team, timeout)
    return team


def begin(team: Team, timeout: timedelta, store: dist.Store | None = None) -> None:
    """Connect this process with the others: gloo for tensors on the CPU, NCCL for those on CUDA.

    Args:
        team: This process's place.
        timeout: How long an exchange may wait for the others.
        store: Where they meet; None for that of torchrun.

    Raises:
        ConfigError: If the others cannot be reached.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        dist.init_process_group(backend, store=store, rank=team.rank, world_size=team.size, timeout=timeout)
    except (RuntimeError, ValueError) as error:
        where = "on this machine" if store else f"at {launched_address()}"
        raise ConfigError(
            f"rank {team.rank} cannot connect to the other processes {where}: {reason(error)}",
            "dltool doctor --distributed tests the connection; GLOO_SOCKET_IFNAME names the network interface",
        ) from error
