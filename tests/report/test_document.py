import math

import pytest

from dltool.plotting.catalog import COSTLY, FIGURES
from dltool.plotting.figure import RunFigure
from dltool.report.captions import CAPTIONS, SECTIONS, caption_of
from dltool.report.document import MAX_POINTS, chart, table, thinned
from dltool.report.words import CHINESE


def test_a_long_curve_keeps_its_extremes_and_its_end() -> None:
    values = {float(step): math.sin(step / 50) for step in range(20_000)} | {7_777.0: 99.0, 12_345.0: -99.0}
    kept = thinned(values)
    assert len(kept) <= MAX_POINTS + 2
    assert kept[7_777.0] == 99
    assert kept[12_345.0] == -99
    assert max(kept) == 19_999
    assert all(values[step] == value for step, value in kept.items())


def test_a_short_curve_is_whole() -> None:
    assert thinned({3.0: 1.0, 1.0: 2.0}) == {1.0: 2.0, 3.0: 1.0}


def test_lines_share_the_steps_of_a_chart() -> None:
    found = chart("loss", {"train": {10.0: 1.0, 20.0: 0.5}, "val": {20.0: 0.7}}, 10)
    assert found["x"] == {"step": [10, 20], "epoch": [1, 2]}
    assert found["series"] == [
        {"label": "train", "values": [1.0, 0.5]},
        {"label": "val", "values": [None, 0.7]},
    ]
    assert chart("loss", {"train": {1.0: 1.0}}, None)["x"]["epoch"] is None


def test_cells_are_texts() -> None:
    found = table("t", "T", ["a", "b", "c", "d"], [[0.12345678, 1234567, None, True]])
    assert found["rows"] == [["0.1235", "1,234,567", "", "True"]]


@pytest.mark.parametrize(
    ("stem", "section", "title"),
    [
        ("confusion", "predictions", "Confusion"),
        ("confusion_top5", "predictions", "Confusion: top5"),
        ("layer_norms", "diagnostics", "Gradients by layer"),
        ("layers", "diagnostics", "Layers in training"),
        ("boundary_film", "diagnostics", "Decision boundary while training"),
        ("latent_plane", "samples", "The latent space"),
        ("whatever_else", "other", "whatever else"),
    ],
)
def test_a_picture_is_described_by_its_name(stem: str, section: str, title: str) -> None:
    assert caption_of(stem)[:2] == (section, title)


@pytest.mark.parametrize("figure", [*FIGURES, *COSTLY], ids=lambda figure: figure.name)
def test_every_figure_of_diagnostics_is_described(figure: RunFigure) -> None:
    if figure.name != "reach":  # Of several runs, and so of none's page.
        assert caption_of(figure.name).section == "diagnostics" or figure.name == "attack"
        assert caption_of(figure.name).text


def test_every_caption_is_translated() -> None:
    texts = [*SECTIONS.values(), *(text for one in CAPTIONS.values() if one.section for text in (one.title, one.text))]
    assert [text for text in texts if text not in CHINESE] == []
