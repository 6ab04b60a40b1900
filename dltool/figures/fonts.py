"""The fonts of every figure: Chinese, Japanese and Korean names in titles, paths and classes must be readable.

matplotlib's default font lacks those characters. Where a text needs them, an installed font that has them is added
as a fallback, character by character.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dltool.core.distribution import install
from dltool.core.notices import FigureWarning

# Families by matplotlib's names, simplified Chinese forms first, and the beginnings of their file names.
CJK_FAMILIES = {
    "Noto Sans CJK SC": "NotoSansCJK",
    "Source Han Sans SC": "SourceHanSans",
    "Source Han Sans CN": "SourceHanSans",
    "Noto Sans SC": "NotoSansSC",
    "PingFang SC": "PingFang",
    "Hiragino Sans GB": "Hiragino Sans GB",
    "Heiti SC": "STHeiti",
    "Heiti TC": "STHeiti",
    "STHeiti": "STHeiti",
    "Microsoft YaHei": "msyh",
    "SimHei": "simhei",
    "DengXian": "Deng",
    "WenQuanYi Micro Hei": "wqy-microhei",
    "WenQuanYi Zen Hei": "wqy-zenhei",
    "Droid Sans Fallback": "DroidSansFallback",
    "Noto Sans CJK TC": "NotoSansCJK",
    "Noto Sans CJK JP": "NotoSansCJK",
    "Noto Sans CJK KR": "NotoSansCJK",
    "Arial Unicode MS": "Arial Unicode",
}
MISSING_GLYPH = r"Glyph \d+ .* missing from"  # matplotlib's warning, a regular expression.

# Radicals to ideographs with kana between them, Hangul, compatibility and full-width forms, the rarer planes.
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_warned = False


def has_cjk(text: str) -> bool:
    return _CJK.search(text) is not None


@contextmanager
def fonts_for(*texts: str) -> Iterator[None]:
    """Draw and save a figure in this context: all its texts get fonts that have their characters.

    Leaves matplotlib's global settings unchanged. If no font is found, it warns once per process, in one line, in
    place of matplotlib's warning per character.

    Args:
        texts: All texts of the figure that come from a user: titles, paths, class names.
    """
    import matplotlib

    families = ["DejaVu Sans"]
    if has_cjk("".join(texts)):
        family = find_cjk_family()
        if family is None:
            _warn_once()
        else:
            families.append(family)
    with matplotlib.rc_context({"font.family": families, "axes.unicode_minus": True}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=MISSING_GLYPH, category=UserWarning)
        yield


def find_cjk_family() -> str | None:
    """The best family installed on the system or provided by the extra cjk; None if none is found."""
    return _known_family() or _known_family(_extra_font_files()) or _known_family(_system_font_files())


def _known_family(more_files: Iterable[str] = ()) -> str | None:
    """The best family known to matplotlib, after more font files are added."""
    from matplotlib import font_manager

    for path in more_files:
        font_manager.fontManager.addfont(path)
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in CJK_FAMILIES if family in known), None)


def _extra_font_files() -> list[str]:
    """Noto Sans CJK in the package mplfonts, which need not be imported for it."""
    spec = find_spec("mplfonts")
    folders = spec.submodule_search_locations if spec else None
    return [str(path) for folder in folders or () for path in Path(folder).glob("fonts/NotoSansCJK*")]


def _system_font_files() -> list[str]:
    """Font files found by name: matplotlib lists the system's fonts once and misses fonts installed later."""
    from matplotlib import font_manager

    stems = tuple(stem.lower() for stem in CJK_FAMILIES.values())
    return [path for path in font_manager.findSystemFonts() if Path(path).name.lower().startswith(stems)]


def _warn_once() -> None:
    global _warned
    if not _warned:
        _warned = True
        problem = "no installed font has Chinese, Japanese or Korean characters, figures show boxes"
        message = f"{problem}; install one with: {install('cjk')}"
        warnings.warn(message, FigureWarning, stacklevel=2)
