"""The words of figures in English and Chinese: titles, axes, legends and notes.

The language is the one that `in_language` chooses, or else that of the environment's locale. Chinese needs a font with
its characters: without one the words are English, and a warning says so once.
"""

import warnings
from functools import cache
from typing import Any

from dltool.core.distribution import install
from dltool.core.language import Language, wanted_language
from dltool.core.notices import FigureWarning
from dltool.core.titles import training_title
from dltool.figures.chinese import CHINESE
from dltool.figures.fonts import find_cjk_family


def word(text: str, **values: Any) -> str:
    """A text in the language of the figures, with values in its `{fields}`; English where the table lacks it."""
    template = CHINESE.get(text, text) if language() == "zh" else text
    return template.format(**values) if values else template


def figure_title(model: str, data: str) -> str:
    """The title of a training in the language of the figures, such as "lenet on digits"."""
    return training_title(model, data, language())


def language() -> Language:
    """The language of figures; Chinese only with a font for it."""
    return "zh" if wanted_language() == "zh" and has_font() else "en"


@cache
def has_font() -> bool:
    """Whether a font has Chinese characters; a warning says once if none does."""
    found = find_cjk_family() is not None
    if not found:
        problem = "no installed font has Chinese characters, figures are in English"
        warnings.warn(f"{problem}; install one with: {install('cjk')}", FigureWarning, stacklevel=2)
    return found


def characters() -> str:
    """Characters that the figures' own words need, by which their fonts are chosen."""
    return CHINESE["step"] if language() == "zh" else ""
