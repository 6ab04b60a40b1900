"""Notes about renamed options and keys, each printed once per process."""

import functools
import sys

UNTIL = "dltool 1.0"


@functools.cache
def note_former_name(former: str, now: str) -> None:
    """Print to standard error that a name has changed; the former name works until UNTIL."""
    print(f"note: {former} is now {now}; the former name works until {UNTIL}", file=sys.stderr)
