import numpy as np

from dltool.figures.latent_plane import CodeCloud, DecodedPanel, latent_plane


def test_a_curve_a_class_and_the_panels_where_they_lie() -> None:
    draw = np.random.default_rng(0)
    cloud = CodeCloud(draw.normal(size=(30, 2)), np.arange(30) % 3, draw.normal(size=(9, 2)), (0, 0), 2.4, 0.95, "xy")
    rows = [draw.random((4, 1, 8, 8)) for _ in range(4)]
    panels = [DecodedPanel("of draws", rows, None), DecodedPanel("of places", rows, (-1.0, 1.0, -2.0, 2.0))]
    codes, of_draws, of_places = latent_plane(cloud, panels, list("abc"), (0, 1), "$title").axes
    assert [line.get_label() for line in codes.lines] == ["a", "b", "c", "draws of N(0, I)", "95 % of N(0, I)"]
    assert not of_draws.axison
    assert (of_places.get_xlim(), of_places.get_ylim()) == ((-1, 1), (-2, 2))
    assert of_places.get_xlabel() == "x"


def test_codes_of_one_number_lie_on_a_line() -> None:
    cloud = CodeCloud(np.zeros((5, 1)), np.zeros(5), np.ones((5, 1)), (0,), 2.4, 0.95, ["z₁"])
    (axes,) = latent_plane(cloud, [], [], None).axes
    assert [line.get_label() for line in axes.lines] == ["samples", "draws of N(0, I)"]
    assert not axes.patches
