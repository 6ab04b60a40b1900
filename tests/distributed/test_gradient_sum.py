"""Gradients are added up in buckets, which begin during the backward pass."""

import pytest
import torch
from together import together
from torch import Tensor

from dltool.distributed import gradient_sum
from dltool.distributed.gradient_sum import GradientSum
from dltool.distributed.team import Team


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(40, 3), (7, 40), (7,), (5, 5), (3, 7)]
    drawn = [torch.randn(shape, generator=generator) for shape in shapes]
    drawn[0] = drawn[0].t().contiguous().t()  # A layout that a flat buffer does not have.
    return [one.requires_grad_() for one in drawn]


def loss(rank: int, parameters: list[Tensor]) -> Tensor:
    """Rank 1 does not use the bias, and no rank the fourth parameter."""
    first, second, bias, _, last = parameters
    hidden = torch.tanh(torch.full((2, 3), 1.0 + rank) @ first.t() @ second.t())
    return ((hidden if rank == 1 else hidden + bias) @ last.t()).square().mean()


def summed(team: Team, overlap: bool) -> tuple[list[Tensor | None], Tensor, int, list[bool]]:
    parameters = weights()
    total = GradientSum(parameters, team)
    for _ in range(2):  # The second time as the first.
        for parameter in parameters:
            parameter.grad = None
        team.backward_exchanges = not overlap
        with total.overlapped():
            loss(team.rank, parameters).backward()
        begun = len(total._begun)
        numbers = total.finish(torch.tensor([1.0, float(team.rank)]))
    layouts = [p.grad is None or p.grad.stride() == p.stride() for p in parameters]
    return [p.grad for p in parameters], numbers, begun, layouts


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("overlap", [True, False])
def test_the_sums_are_those_in_the_order_of_the_ranks(
    monkeypatch: pytest.MonkeyPatch, size: int, overlap: bool
) -> None:
    monkeypatch.setitem(gradient_sum.BUCKET_BYTES, "cpu", 64)
    expected: list[Tensor | None] = [None] * 5
    for rank in range(size):
        parameters = weights()
        loss(rank, parameters).backward()
        for number, parameter in enumerate(parameters):
            if parameter.grad is not None:
                before = expected[number]
                expected[number] = parameter.grad if before is None else before + parameter.grad
    for rank, (gradients, numbers, begun, layouts) in enumerate(together(size, summed, overlap)):
        assert numbers.tolist() == [size, sum(range(size))]
        assert all(layouts)
        assert begun == int(overlap), rank  # The fourth parameter, which has no gradient, holds up what follows it.
        assert gradients[3] is None
        for gradient, total in zip(gradients, expected, strict=True):
            assert (gradient is None) == (total is None)
            if gradient is not None and total is not None:
                assert torch.equal(gradient, total)
