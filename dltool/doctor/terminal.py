"""The capabilities of the terminal."""

import os
import shutil
import sys
from collections.abc import Iterator

from dltool.doctor.finding import Finding

SAMPLE = "━█…×"  # Characters of the progress bar and the tables.


def terminal() -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("terminal", "output", "ok", "no terminal: plain lines, no progress bar")
    else:
        size = shutil.get_terminal_size()
        name = os.environ.get("TERM") or "unnamed"
        plain = "NO_COLOR" in os.environ or name in ("dumb", "unknown")
        text = f"{name}, {size.columns} columns, {'no colours' if plain else 'colours'}"
        if size.columns < 80:
            yield Finding("terminal", "output", "note", text, "80 columns are wide enough for every table")
        else:
            yield Finding("terminal", "output", "ok", text)
    encoding = sys.stdout.encoding or "unknown"
    try:
        SAMPLE.encode(encoding)
        yield Finding("terminal", "encoding", "ok", encoding)
    except (LookupError, UnicodeEncodeError):
        text = f"{encoding}, which lacks characters that dltool prints"
        yield Finding("terminal", "encoding", "note", text, "PYTHONUTF8=1 dltool …")
