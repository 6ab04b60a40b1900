from pathlib import Path

import pytest
import torch

from dltool.figures.gradient_over_time import gradient_by_distance
from dltool.figures.saving import save_figure
from dltool.figures.style import OKABE_ITO, REFERENCE
from dltool.introspection.gradient_over_time import relative_quartiles

NORMS = torch.tensor([[torch.nan, 0.0, torch.inf, 2.0], [1e-30, 1e-20, 1.0, 1.0]])


def test_a_gradient_that_is_no_number_is_left_out(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    band = relative_quartiles(NORMS)
    assert band is not None
    assert relative_quartiles(torch.zeros(2, 4)) is None
    save_figure(gradient_by_distance({"rnn": band}), tmp_path / "a.png")
    save_figure(gradient_by_distance({}), tmp_path / "b.png")
    assert (tmp_path / "b.png").exists()
    assert not list(recwarn)


def test_what_is_compared_with_is_grey() -> None:
    band = relative_quartiles(NORMS)
    assert band is not None
    (axes,) = gradient_by_distance({"before": band, "after": band}, reference="before").axes
    assert [line.get_color() for line in axes.lines] == [REFERENCE, OKABE_ITO[0]]
