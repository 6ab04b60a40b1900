"""Finds the encoding of a text file from its bytes, and decodes it block by block.

UTF-8, and UTF-16 or UTF-32 with a byte order mark, are recognized with certainty. The bytes of any other encoding are
also valid in several more, so the user names it.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dltool.core.errors import ConfigError, DataError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PROPOSED = ("cp1252", "gb18030")  # Encodings that an error shows a reading of.
CONTEXT = 8  # Bytes shown before one that cannot be decoded, and after it.
FEWEST_ZEROS = 0.05  # Of the bytes of UTF-16 without a mark; ASCII characters have one zero byte of two.
HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
UNASSIGNED = re.compile("[\x80-\x9f]")  # Control characters in Latin-1, quotes and dashes in Windows-1252.


def find_encoding(head: bytes, wanted: str, likely: str = "auto") -> str:
    """The name of the codec.

    Args:
        head: The first bytes of the file.
        wanted: A codec that the user named, or "auto". A byte order mark overrules it.
        likely: For "auto", the codec of bytes that are not Unicode; "auto" is UTF-8, which refuses them.

    Raises:
        ConfigError: No such encoding exists.
    """
    named = check_encoding(wanted)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    return named or zero_pattern(head) or unless_utf8(head, check_encoding(likely))


def unless_utf8(head: bytes, likely: str | None) -> str:
    """`likely`, but UTF-8 for bytes beyond ASCII that are valid UTF-8: in another encoding they hardly ever are."""
    if likely is None:
        return "utf-8"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # The last character may be incomplete.
    except UnicodeDecodeError:
        return likely
    return likely if head.isascii() else "utf-8"


def check_encoding(wanted: str) -> str | None:
    """The codec's own name; None for "auto". Raises ConfigError for a name that Python does not know."""
    if wanted == "auto":
        return None
    try:
        "".encode(wanted)  # Fails for codecs that are not of texts, such as base64.
        return codecs.lookup(wanted).name
    except LookupError as error:
        raise ConfigError(
            f"data.encoding={wanted} is not an encoding",
            "auto, utf-8, utf-16, cp1252, gb18030, shift_jis, big5 or euc-kr",
        ) from error


def zero_pattern(head: bytes) -> str | None:
    """UTF-16 without a byte order mark, if only bytes at odd, or only at even places are zero, many of them."""
    head = head[: len(head) // 2 * 2]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) > 0 or even + odd < FEWEST_ZEROS * len(head) or even + odd == 0:
        return None
    codec = "utf-16-le" if odd else "utf-16-be"
    text = head.decode(codec, errors="replace")
    return codec if "\n" in text or "\r" in text else None  # Other text has a stray zero byte, and no line ends so.


def decoded(blocks: Iterable[bytes], codec: str, path: Path, hint: str) -> Iterator[str]:
    """The text of each block, without a byte order mark.

    Args:
        blocks: The bytes of the file.
        codec: Its encoding.
        path: For messages.
        hint: What to do about another encoding; with %s for its name.

    Raises:
        DataError: A byte cannot be decoded, or a character is NUL; the message names its line.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    lines, first, final = 1, True, False
    blocks = iter(blocks)
    while not final:
        block = next(blocks, b"")
        final = not block
        try:
            text = decoder.decode(block, final)
        except UnicodeDecodeError as error:
            raise undecodable(error, codec, path, lines, hint) from error
        text = text.removeprefix("\ufeff") if first else text
        first = first and not text
        check_characters(text, codec, path, lines, hint)
        lines += text.count("\n") or text.count("\r")
        if text:
            yield text


def check_characters(text: str, codec: str, path: Path, lines: int, hint: str) -> None:
    """Raises DataError for NUL, and for the control characters that Windows-1252 becomes if it is read as Latin-1."""
    place = text.find("\0")
    if place >= 0:
        line = lines + text.count("\n", 0, place)
        raise DataError(
            f"{path} is not text: line {line} has a NUL character", hint % "utf-16-le or utf-16-be, or is it damaged?"
        )
    if codec == "iso8859-1" and (found := UNASSIGNED.search(text)):
        line = lines + text.count("\n", 0, found.start())
        raise DataError(
            f"{path} is not {codec}: line {line} has the byte 0x{ord(found[0]):02x}, a control character",
            hint % "cp1252",
        )


def undecodable(error: UnicodeDecodeError, codec: str, path: Path, lines: int, hint: str) -> DataError:
    content, start = error.object, error.start
    before = content[:start].decode(codec, errors="replace")
    line = lines + (before.count("\n") or before.count("\r"))
    message = f"{path} is not {codec.upper()}: line {line} has the byte 0x{content[start]:02x}"
    if codec != "utf-8":
        return DataError(message, hint % "its encoding")
    readings = [f"{part!r} as {name}" for name in ranked(content) if (part := reading(content, start, name))]
    return DataError(f"{message}; it reads {', '.join(readings)}", hint % " or ".join(ranked(content)))


def ranked(content: bytes) -> tuple[str, ...]:
    """The proposed encodings, the likelier first: characters of GB18030 are pairs of bytes, most of them above 0x7f."""
    runs = [len(run) for run in HIGH_BYTES.findall(content)]
    paired = sum(1 for length in runs if length % 2 == 0)
    return PROPOSED[::-1] if paired * 2 > len(runs) else PROPOSED


def reading(content: bytes, start: int, codec: str) -> str:
    """The characters around a byte; the codec decides where they begin, from the last byte that is ASCII."""
    while start > 0 and content[start - 1] > 0x7F:
        start -= 1
    line = content.rfind(b"\n", 0, start) + 1
    part = content[max(line, start - CONTEXT) : start + CONTEXT].split(b"\n")[0]
    return part.decode(codec, errors="ignore").strip()
