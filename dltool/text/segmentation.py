"""Divides a text into words and punctuation marks.

Three ways: "unicode" for texts of every script, "spaces" for texts that are already divided, and "alphanumeric", the
way of dltool 0.1, for the runs that were trained with it. Text of letters, digits and punctuation marks without
combining marks, such as English, has the same words in the first and the last.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Literal

Division = Literal["unicode", "spaces", "alphanumeric"]

# Scripts written without spaces between words: the ideographic ones and kana, and those of the line-breaking class SA
# (Unicode Standard Annex #14), by blocks. Their digits and punctuation marks are not concerned.
WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x3005, 0x3007),  # 々〆〇
    (0x3021, 0x30FF),  # Hangzhou numerals, Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Chinese characters
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # Katakana of half width
    (0x116D0, 0x116FF),
    (0x11700, 0x1174F),  # Ahom
    (0x16FE0, 0x18DFF),  # Tangut, Khitan
    (0x1AFF0, 0x1B2FF),  # Kana, Nushu
    (0x20000, 0x3FFFF),
)
# U+200C and U+200D join or separate letters within a word; U+FF9E and U+FF9F are voice marks of half width.
EXTRA_MARKS = "\u200c\u200d\uff9e\uff9f"
EAST_ASIAN = "\u3001-\u3020\u30fb\uff01-\uff65"  # Punctuation marks.
ALPHANUMERIC = r"\w+|[^\w\s]"
# A character that may be a mark or of a script without spaces; Latin letters and common punctuation marks are not.
NOT_LATIN = re.compile("[^\x00-\u02ff\u2010-\u20cf]")


def divide(text: str, division: Division, *, with_line_ends: bool = False) -> Sequence[str]:
    """The words and punctuation marks of a text.

    Args:
        text: Any text.
        division: "unicode" takes runs of letters and digits with their combining marks, single characters in scripts
            without spaces between words, and single other characters. "spaces" takes whatever is between spaces.
            "alphanumeric" takes runs of letters and digits, and single other characters.
        with_line_ends: Whether each end of line is a word, too.
    """
    if division == "spaces":
        return re.findall(r"\S+|\n", text) if with_line_ends else text.split()
    by_script = division == "unicode" and not text.isascii() and NOT_LATIN.search(text) is not None
    pattern = unicode if by_script else alphanumeric  # For Latin text the words are the same, in half the time.
    return pattern(with_line_ends).findall(text)


def join(words: Sequence[str], division: Division) -> str:
    """The text of words, with spaces between them; by "unicode", not between words of scripts without spaces."""
    text = " ".join(words)
    if division == "unicode" and NOT_LATIN.search(text):
        text = needless_spaces().sub("", text)
    return text.replace(" \n ", "\n").replace(" \n", "\n")


@cache
def needless_spaces() -> re.Pattern[str]:
    """Spaces between two letters of scripts without spaces, or next to their punctuation marks."""
    before = characters(sorted({*marks(), *letters_without_spaces()}))
    after = characters(letters_without_spaces())
    return re.compile(f"(?<=[{before}]) (?=[{after}{EAST_ASIAN}])|(?<=[{EAST_ASIAN}]) (?=[{after}{EAST_ASIAN}])")


@cache
def alphanumeric(with_line_ends: bool) -> re.Pattern[str]:
    return re.compile(ALPHANUMERIC + r"|\n" * with_line_ends)


@cache
def unicode(with_line_ends: bool) -> re.Pattern[str]:
    mark, single = f"[{characters(marks())}]", characters(letters_without_spaces())
    letter = rf"[^\W{single}]"
    parts = (rf"[{single}]{mark}*", rf"{letter}+(?:{mark}+{letter}*)*", rf"[^\w\s]{mark}*")
    return re.compile("|".join(parts) + r"|\n" * with_line_ends)


def marks() -> list[int]:
    """The code points of combining marks, and of EXTRA_MARKS; they are in planes 0, 1 and 14."""
    planes = chain(range(0x300, 0x20000), range(0xE0100, 0xE01F0))
    found = [code for code in planes if unicodedata.category(chr(code)).startswith("M")]
    return sorted([*found, *map(ord, EXTRA_MARKS)])


def letters_without_spaces() -> list[int]:
    """The letters of WITHOUT_SPACES."""
    codes = (code for first, last in WITHOUT_SPACES for code in range(first, last + 1))
    letters = (code for code in codes if chr(code).isalnum() and not chr(code).isdecimal())
    return [code for code in letters if chr(code) not in EXTRA_MARKS]


def characters(codes: Sequence[int]) -> str:
    """Sorted code points as ranges in a regular expression's brackets."""
    starts = [code for before, code in zip([-1, *codes], codes, strict=False) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -1], strict=True) if after != code + 1]
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in zip(starts, ends, strict=True))
