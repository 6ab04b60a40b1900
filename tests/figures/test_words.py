"""The words of figures: every text that a module writes is in the table, and Chinese needs a font."""

import ast
import string
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import dltool
from dltool.core.language import in_language
from dltool.core.notices import FigureWarning
from dltool.figures import fonts, words
from dltool.figures.chinese import CHINESE
from dltool.figures.layers import QUANTITIES, layer_heatmaps
from dltool.figures.range_test import RangeCurve, range_test_picture
from dltool.figures.words import has_font, language, word

ROOT = Path(dltool.__file__).parent
MODULES = [
    ROOT / folder / f"{name}.py"
    for folder, names in {
        "figures": "layers boundary surface fit range_test drawing curves compared_curves diagram response"
        " sweep stopping weights compared_layers word_vectors features attack functions game game_on_a_line plane"
        " memory gradient_over_time mistakes attacked confusion attention augmentation calibration feature_maps"
        " forecast kernels latent_plane receptive_field reconstructions study",
        "plotting": "subject surface fit layers boundary response sweep stopping weights word_vectors features"
        " attack functions game_on_a_line game_over_a_plane plane memory reach",
        "observers": "range_test",
        "introspection": "latent_plane pictures seen_fields",
    }.items()
    for name in names.split()
]
WRITERS = ("set_title", "set_xlabel", "set_ylabel", "set_zlabel", "set_label", "suptitle", "supxlabel", "text", "label")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    has_font.cache_clear()
    yield
    has_font.cache_clear()


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def literals(node: ast.AST) -> Iterator[str]:
    """Texts with letters outside of `word(…)` and of subscripts; those inside an f-string's fields do not count."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and any(map(str.isalpha, node.value)):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from literals(part) if isinstance(part, ast.Constant) else ()
    elif isinstance(node, (ast.IfExp, ast.BinOp, ast.BoolOp)):
        for part in ast.iter_child_nodes(node):
            yield from literals(part) if not isinstance(part, (ast.Compare, ast.Subscript)) else ()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_text_is_in_the_table(path: Path) -> None:
    untranslated, missing = [], []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        texts = [keyword.value for keyword in node.keywords if keyword.arg == "label"]
        if called(node) in WRITERS:
            texts += node.args
        untranslated += [text for one in texts for text in literals(one)]
        if called(node) == "word" and node.args:
            missing += [text for text in literals(node.args[0]) if text not in CHINESE]
    assert (untranslated, missing) == ([], [])


def test_texts_that_are_chosen_by_a_variable_are_in_the_table() -> None:
    assert {quantity.title for quantity in QUANTITIES} <= {*CHINESE}
    assert {"step", "epoch", "learning rate", "loss", "train", "val", "test"} <= {*CHINESE}


@pytest.mark.parametrize("text", CHINESE)
def test_a_translation_has_the_same_fields(text: str) -> None:
    english, chinese = (
        {field[1:3] for field in string.Formatter().parse(one) if field[1]} for one in (text, CHINESE[text])
    )
    assert english == chinese
    assert CHINESE[text] != text


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "find_cjk_family", lambda: "some font")
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected
    with in_language("en"):
        assert language() == "en"
    with in_language("zh"):
        assert word("step {step:,}", step=1200) == "第 1,200 步"
        assert word("a metric {of} mine") == "a metric {of} mine"


def test_without_a_font_it_is_english_and_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "find_cjk_family", lambda: None)
    with in_language("zh"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [word("step"), word("loss")] == ["step", "loss"]
    (warning,) = caught
    assert issubclass(warning.category, FigureWarning)
    assert "no installed font has Chinese characters, figures are in English" in str(warning.message)


def test_a_figure_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (words, fonts):
        monkeypatch.setattr(module, "find_cjk_family", lambda: "DejaVu Sans")
    record = {"step": 0, "layers": {"0": {"delta": 0.1, "grad": 0.2, "rms": 1.0}}}
    curve = RangeCurve("loss", [0.1, 1.0], [2.0, 1.0], [2.0, 1.5], (0.1, 1.0))
    with in_language("zh"):
        heatmaps, rates = layer_heatmaps([record, record]), range_test_picture([curve])
    assert heatmaps is not None
    assert heatmaps.get_suptitle() == "训练中的各层"
    assert rates.axes[0].get_xlabel() == "学习率"
    assert [text.get_text() for text in rates.axes[0].get_legend().get_texts()] == [
        "每一步的损失", "滑动平均", "损失下降：0.1 … 1"
    ]  # fmt: skip
    assert np.isfinite(rates.get_size_inches()).all()
