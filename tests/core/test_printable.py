"""No text controls the terminal: neither one that is printed, nor one in a table of rich."""

import io
import json

import pytest

from dltool.core.console import Console
from dltool.core.errors import ConfigError
from dltool.core.output import PrintedStream
from dltool.core.printable import printable, printable_lines

HOSTILE = "a\x1b[2J\x9b31m\u202eb\r\n\x07"


def test_control_characters_are_escapes() -> None:
    assert printable(HOSTILE) == r"a\x1b[2J\u009b31m\u202eb\r\n\x07"
    assert printable_lines("a\tb\n\x1b") == "a\tb\n\\x1b"


@pytest.mark.parametrize("text", ["花", "é", "a b\u00a0c", "👩\u200d🔬", "−½×"])
def test_letters_and_emoji_are_left_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_json_stays_json() -> None:
    text = json.dumps({"name": HOSTILE}, ensure_ascii=False)
    assert json.loads(printable_lines(text)) == {"name": HOSTILE}


def test_an_error_is_one_line() -> None:
    assert ConfigError(f"key {HOSTILE}", HOSTILE).report().count("\n") == 1


def test_a_table_has_no_control_characters_of_its_texts() -> None:
    file = io.StringIO()
    Console(file=file, force_terminal=True, width=80).print(HOSTILE, markup=False, highlight=False)
    assert "\x1b[2J" not in file.getvalue()
    assert r"\x1b[2J" in file.getvalue()


def test_a_printed_line_has_none() -> None:
    file = io.StringIO()
    print(HOSTILE, file=PrintedStream(file))
    assert "\x1b" not in file.getvalue()
