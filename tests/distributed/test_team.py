"""What the processes exchange."""

import pytest
import torch
from together import together

from dltool.core.batch import Batch
from dltool.distributed.team import SOLO, Team, reason
from dltool.engine.pieces import Pieces


def summed(team: Team, parts: list[torch.Tensor]) -> list[torch.Tensor]:
    own, small = parts[team.rank].clone(), torch.full((3,), float(team.rank), dtype=torch.float64)
    team.sum_([own, small])
    return [own, small]


@pytest.mark.parametrize("size", [2, 3])
def test_sums_have_the_bits_of_an_addition_in_the_order_of_the_ranks(size: int) -> None:
    parts = [torch.randn(7, 143, generator=torch.Generator().manual_seed(rank)) for rank in range(size)]
    expected = parts[0].clone()
    for part in parts[1:]:
        expected += part
    for own, small in together(size, summed, parts):
        assert torch.equal(own, expected)
        assert small.tolist() == [sum(range(size))] * 3


def exchanged(team: Team) -> tuple[object, ...]:
    rows = team.gather_rows(torch.full((team.rank, 2), float(team.rank)))
    numbers = [team.largest([float(team.rank), 0.0]) for _ in range(3)]
    copied = torch.full((2, 2), float(team.rank)).t()
    team.copy_from_first([copied])
    return team.gather(str(team.rank)), team.from_first(team.rank), rows, numbers, copied


def test_values_and_rows_of_different_lengths() -> None:
    for values, first, rows, numbers, copied in together(3, exchanged):
        assert values == ["0", "1", "2"]
        assert first == 0
        assert rows.tolist() == [[1, 1], [2, 2], [2, 2]]
        assert numbers == [[0, 0], [2, 0], [2, 0]]  # Those of the call before.
        assert copied.tolist() == [[0, 0], [0, 0]]


def test_a_team_of_one_exchanges_nothing() -> None:
    assert (SOLO.gather(3), SOLO.from_first(4), SOLO.largest([1.0])) == ([3], 4, [1.0])
    SOLO.leave()


def test_an_error_is_named_without_its_place_in_torch() -> None:
    assert reason(RuntimeError("[/a/b.cc:78] Timed out waiting\nmore")) == "Timed out waiting"
    assert reason(ValueError()) == "ValueError"


@pytest.mark.parametrize(("size", "count"), [(10, 4), (11, 4), (4, 4), (37, 6)])
def test_the_pieces_of_all_processes_are_the_batch(size: int, count: int) -> None:
    batch = Batch(torch.arange(float(size)), torch.arange(size), size)
    drawn = []
    for processes in (1, 2):
        found, numbers = [], []
        for rank in range(processes):
            pieces = Pieces(count, Team(rank, processes), seed=3)
            rows = pieces.rows_of(size)
            own = Batch(batch.inputs[rows], batch.targets[rows], size)  # As a source that reads files gives it.
            assert [piece.size for piece in pieces.own(own)] == [piece.size for piece in pieces.own(batch)]
            for piece in pieces.of(own):
                found.append(piece.inputs)
                numbers.append(float(torch.rand(())))  # Those of a piece do not depend on who computes it.
        assert torch.cat(found).tolist() == list(range(size))
        assert len(set(numbers)) == count
        drawn.append(numbers)
    assert drawn[0] == drawn[1]


def test_a_batch_that_is_too_small_for_the_pieces_counts_once() -> None:
    batch = Batch(torch.zeros(2, 1), torch.zeros(2), 2)
    both = [Pieces(3, Team(rank, 3)) for rank in range(3)]
    assert [len(list(pieces.of(batch))) for pieces in both] == [1, 1, 1]
    assert [pieces.counts(batch) for pieces in both] == [True, False, False]
