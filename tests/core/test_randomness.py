"""Seeds are a function of names."""

import pytest

from dltool.core.randomness import derive_seed, step_seed


@pytest.mark.parametrize("step", [0, 1, 63, 64, 65, 10_000_000])
def test_a_steps_seed_is_the_same_alone_as_among_its_neighbours(step: int) -> None:
    assert step_seed(3, step) == derive_seed(3, "step", step)
    assert step_seed(4, step) != step_seed(3, step)
    assert step_seed(3, step) == derive_seed(3, "step", step)  # Another seed in between changed nothing.
