"""The sum of gradients over the processes, which begins while the backward pass still runs."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

import torch
from torch import Tensor

from dltool.distributed.team import Team, kind

BUCKET_BYTES = {"cpu": 2**19}  # 2**18 and 2**20 were slower with gloo.
LARGE_BUCKET_BYTES = 25 * 2**20  # Of accelerators: the default of torch's DistributedDataParallel.


class GradientSum:
    """Adds up the gradients of some parameters over the processes, in buckets.

    In the context `overlapped` the exchange of a bucket begins as soon as its last gradient is computed (Li et al.
    2020, arXiv:2006.15704, section 3.2.3). Buckets follow the parameters from the last one to the first, as a backward
    pass does, and are always begun in this order, whichever gradients a process lacks: the processes must begin their
    exchanges in the same order. What a bucket contains does not change its sum, see Team.begin_sum.

    Args:
        parameters: They must require a gradient.
        team: The processes.
    """

    def __init__(self, parameters: Sequence[Tensor], team: Team) -> None:
        self.parameters = parameters
        self.team = team
        self.buckets = [bucket for _, alike in groupby(reversed(parameters), key=kind) for bucket in divided(alike)]
        self._begun: list[Callable[[], Tensor]] = []
        self._awaited: list[int] | None = None  # The number of gradients that each bucket lacks; None outside.
        for number, bucket in enumerate(self.buckets[:-1]):  # The last one is complete when the backward pass ends.
            for parameter in bucket:
                parameter.register_post_accumulate_grad_hook(partial(self._note, number))

    @contextlib.contextmanager
    def overlapped(self) -> Iterator[None]:
        """For the backward pass that computes the last part of the gradients, the same one in all processes.

        If that itself exchanges numbers, nothing is begun in between: their order could differ between the processes.
        """
        self._awaited = None if self.team.backward_exchanges else [len(bucket) for bucket in self.buckets]
        try:
            yield
        finally:
            self._awaited = None

    def _note(self, bucket: int, _: Tensor) -> None:
        """Called when the gradient of a parameter of a bucket is computed."""
        if self._awaited is None:
            return
        self._awaited[bucket] -= 1
        while self._awaited[len(self._begun)] == 0:
            self._begin_next()

    def _begin_next(self) -> None:
        bucket = self.buckets[len(self._begun)]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
        self._begun.append(self.team.begin_sum(torch.cat([gradient.reshape(-1) for gradient in gradients])))

    def finish(self, numbers: Tensor) -> Tensor:
        """Replace each gradient by its sum over the processes; one that no process has stays None.

        Args:
            numbers: Other numbers to add up, `(N,)`.

        Returns:
            Their sums.
        """
        while len(self._begun) < len(self.buckets):
            self._begin_next()
        present = numbers.new_tensor([parameter.grad is not None for parameter in self.parameters])
        others = self.team.begin_sum(torch.cat([present, numbers]))
        sums = [end() for end in self._begun]
        present, numbers = others().split([len(present), len(numbers)])
        self._begun = []
        missing = {p for place, p in enumerate(self.parameters) if p.grad is None and present[place] == 0}
        for bucket, summed in zip(self.buckets, sums, strict=True):
            for parameter, part in zip(bucket, summed.split([p.numel() for p in bucket]), strict=True):
                if parameter not in missing:
                    put(parameter, part.view_as(parameter))
        return numbers


def divided(parameters: Iterator[Tensor]) -> Iterator[list[Tensor]]:
    """Buckets of at least the size for their device, except for the last one."""
    bucket: list[Tensor] = []
    for parameter in parameters:
        bucket.append(parameter)
        if sum(p.nbytes for p in bucket) >= BUCKET_BYTES.get(parameter.device.type, LARGE_BUCKET_BYTES):
            yield bucket
            bucket = []
    if bucket:
        yield bucket


def put(parameter: Tensor, gradient: Tensor) -> None:
    """Set a parameter's gradient, without a copy where it has the layout that fused optimizers need."""
    if parameter.is_contiguous():
        parameter.grad = gradient
    elif parameter.grad is None:
        parameter.grad = torch.empty_like(parameter).copy_(gradient)
    else:
        parameter.grad.copy_(gradient)
