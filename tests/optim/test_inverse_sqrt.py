import pytest

from dltool.optim.inverse_sqrt import InverseSqrt


def test_is_the_formula_of_the_paper_up_to_its_peak():
    model_dim, warmup_steps = 512, 50
    schedule = InverseSqrt(warmup_steps=warmup_steps)
    peak = (model_dim * warmup_steps) ** -0.5
    for step in range(500):
        number = step + 1  # The paper counts from 1.
        paper = model_dim**-0.5 * min(number**-0.5, number * warmup_steps**-1.5)
        assert peak * schedule.at(step, 0, 500, None) == pytest.approx(paper, rel=1e-12)
    assert schedule.at(warmup_steps - 1, 0, 500, None) == 1.0
