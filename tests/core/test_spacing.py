import pytest

from dltool.core.spacing import evenly


@pytest.mark.parametrize(("count", "chosen"), [(1, [9]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, [*range(10)])])
def test_the_first_and_the_last_are_among_the_chosen(count: int, chosen: list[int]) -> None:
    assert evenly(range(10), count) == chosen
