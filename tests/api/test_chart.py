"""The curves of a notebook are at the places that their axes say."""

import math
import re
from itertools import pairwise

import pytest

from dltool.api.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, curve_images, ordered, panel

NUMBER = r"-?\d+(?:\.\d+)?"


def points_of(svg: str) -> list[tuple[float, float]]:
    (path,) = re.findall(r'polyline points="([^"]*)"', svg)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in path.split())]


def test_an_axis_is_linear_or_logarithmic() -> None:
    assert Axis(0, 10, 100, 200).place(2.5) == 125
    assert Axis(1, 10_000, 200, 0, is_log=True).place(100) == pytest.approx(100)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 4, [0, 1, 2, 3, 4]), (0, 0.001, [0, 0.00025, 0.0005, 0.00075, 0.001]), (0.21, 0.66, [0.4, 0.6])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert Axis(low, high, 0, 1).ticks() == pytest.approx(expected)


def test_ticks_of_a_logarithmic_axis_are_powers() -> None:
    assert Axis(0.002, 30, 0, 1, is_log=True).ticks() == pytest.approx([0.01, 0.1, 1, 10])


def test_points_lie_where_the_axes_say() -> None:
    svg = panel("loss", {"val": [(0.0, 2.0), (5.0, 1.5), (10.0, 1.0)]}, "epoch")
    (x0, y0), (x1, y1), (x2, y2) = points_of(svg)
    assert (x0, x2) == (LEFT, WIDTH - RIGHT)
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.1)
    assert TOP < y0 < y2 < HEIGHT - BOTTOM  # The loss falls: y grows downwards.
    tick = re.search(rf'M{LEFT} ({NUMBER})H[^>]*/><text x="{NUMBER}" y="{NUMBER}" text-anchor="end">1.5</text>', svg)
    assert tick is not None
    assert float(tick[1]) == pytest.approx(y1, abs=0.1)


def test_a_loss_over_decades_is_logarithmic() -> None:
    svg = panel("loss", {"train": [(step, 10.0**-step) for step in range(5)]}, "step")
    heights = [y for _, y in points_of(svg)]
    falls = [b - a for a, b in pairwise(heights)]
    assert falls == pytest.approx([falls[0]] * 4, abs=0.2)


def test_values_that_are_not_finite_are_left_out() -> None:
    assert len(points_of(panel("loss", {"train": [(1, 1.0), (2, math.nan), (3, math.inf), (4, 2.0)]}, "step"))) == 2
    assert panel("loss", {"train": [(1, math.nan)]}, "step") == ""


def test_names_are_escaped_and_losses_first() -> None:
    assert "<script>" not in panel("<script>", {"<script>": [(1, 1.0)]}, "step")
    assert "<script>" not in curve_images({"<script>": {"train": [(1, 1.0)]}}, "step")
    point = {"train": [(1.0, 1.0)]}
    assert [*ordered({"learning rate": point, "accuracy": point, "val loss": point})] == [
        "val loss",
        "accuracy",
        "learning rate",
    ]


def test_one_value_and_equal_values_can_be_drawn() -> None:
    for values in ([(0.0, 0.0)], [(3.0, 7.0)], [(0.0, 1.0), (1.0, 1.0)]):
        assert all(math.isfinite(x) and math.isfinite(y) for x, y in points_of(panel("loss", {"val": values}, "step")))
