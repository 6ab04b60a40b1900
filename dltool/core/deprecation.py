"""Notes about renamed options and keys, each printed once per process."""

import functools

from dltool.core.messages import say

UNTIL = "dltool 1.0"


@functools.cache
def note_former_name(former: str, now: str) -> None:
    """Print that a name has changed; the former name works until UNTIL."""
    say(f"note: {former} is now {now}; the former name works until {UNTIL}")
