import sys
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image

from dltool.figures import fonts
from dltool.figures.curves import learning_curves
from dltool.figures.fonts import find_cjk_family, fonts_for, has_cjk
from dltool.figures.saving import save_figure

RECORDS = [{"step": 1, "epoch": 1, "split": "train", "train/loss": 1.0}]


def make_font(path: Path, family: str) -> None:
    """A font whose one character, 手, is a full black square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(point)
    pen.closePath()
    square, empty = pen.glyph(), TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "hand"])
    builder.setupCharacterMap({ord("手"): "hand"})
    builder.setupGlyf({".notdef": empty, "hand": square})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "hand": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)


@pytest.fixture(autouse=True)
def machine_without_cjk_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", plain)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    monkeypatch.setitem(sys.modules, "mplfonts", None)
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    monkeypatch.setattr(fonts, "_warned", False)


@pytest.mark.parametrize("text", ["手写数字", "実験かな", "한글", "ＦＵＬＬ", "a、b", "𠀀"])
def test_has_cjk(text: str) -> None:
    assert has_cjk(text)
    assert has_cjk(f"lenet on {text}")


@pytest.mark.parametrize("text", ["", "lenet on digits", "Größe", "μ ± σ → ∞", "Ελληνικά", "Цифры"])
def test_has_no_cjk(text: str) -> None:
    assert not has_cjk(text)


def test_without_a_font_one_warning_says_what_to_install(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("a.png", "b.png"):
            save_figure(learning_curves(RECORDS, title="手写数字", subtitle="实验"), tmp_path / name)
    assert [str(w.message) for w in caught] == [
        "no installed font has Chinese, Japanese or Korean characters, figures show boxes; "
        'install one with: pip install "dltool-torch[cjk]"'
    ]


def test_a_font_installed_since_matplotlib_looked_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    font = tmp_path / "fonts" / "wqy-microhei.ttf"
    make_font(font, "WenQuanYi Micro Hei")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: ["/nowhere/other.ttf", str(font)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(learning_curves(RECORDS, title="手" * 4), tmp_path / "hand.png")
        save_figure(learning_curves(RECORDS, title=""), tmp_path / "blank.png")
    pictures = [np.asarray(Image.open(tmp_path / name).convert("L")) for name in ("hand.png", "blank.png")]
    black = [int((picture < 30).sum()) for picture in pictures]
    assert black[0] - black[1] > 4 * 20 * 20  # Four squares, each 16 points high.


def test_the_extra_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mplfonts"
    make_font(package / "fonts" / "NotoSansCJKsc-Regular.ttf", "Noto Sans CJK SC")
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.undo()
    plain = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", plain)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_cjk_family() == "Noto Sans CJK SC"


def test_simplified_chinese_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["SimHei", "Noto Sans CJK JP", "Noto Sans CJK SC", "Comic Sans MS"]
    entries = [font_manager.FontEntry(name=name) for name in names]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    assert find_cjk_family() == "Noto Sans CJK SC"


def test_global_settings_come_back() -> None:
    before = dict(matplotlib.rcParams)
    with fonts_for("plain"):
        assert matplotlib.rcParams["font.family"] == ["DejaVu Sans"]
    assert dict(matplotlib.rcParams) == before
