"""The one function that every text from outside passes before it is shown: on a screen, in log.txt, in an error."""

import re

from dltool.core.addresses import without_secrets

# Control characters, and those that are invisible or reverse the direction of the text after them. A joiner (U+200C,
# U+200D) is part of words and emoji.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
UNSAFE_IN_LINES = re.compile(UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f"))  # Not \t, \n, \r.


def printable(text: str) -> str:
    """A text in one line, whose control characters are shown as escapes and cannot control a terminal.

    Passwords and tokens in its addresses are hidden.
    """
    return UNSAFE.sub(escape, without_secrets(text))


def printable_lines(text: str) -> str:
    """The same for a text of several lines: tabs and line ends are kept."""
    return UNSAFE_IN_LINES.sub(escape, without_secrets(text))


def escape(found: re.Match[str]) -> str:
    """An escape of Python, which for a character above ASCII is also one of JSON."""
    character = found[0]
    return character.encode("unicode_escape").decode() if character < "\x80" else f"\\u{ord(character):04x}"
