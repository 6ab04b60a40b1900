"""Commands and overrides in shell syntax: what dltool prints can be pasted into bash and zsh."""

import re
import shlex
from pathlib import Path
from typing import Any

PLAIN = re.compile(r"[\w./+@%|:-]+( +[\w./+@%|:-]+)*", re.ASCII)  # A text that needs no quotes.
NO_TEXT = re.compile(r"null|true|false|[+-]?(nan|inf|[\d_]*\.?[\d_]*(e[+-]?[\d_]+)?)", re.IGNORECASE)


def quoted(*words: object) -> str:
    """The words of a command, each quoted if a shell would change it."""
    return shlex.join(map(str, words))


def setting(key: str, value: Any) -> str:
    """`key=value` as one word of a command."""
    return quoted(f"{key}={in_grammar(value)}")


def in_grammar(value: Any) -> str:
    """The value in Hydra's grammar; a text is in double quotes if the grammar would read it as something else."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(in_grammar, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{in_grammar(inner)}' for key, inner in value.items())}}}"
    text = str(value)
    if not isinstance(value, str | Path) or (PLAIN.fullmatch(text) and not NO_TEXT.fullmatch(text)):
        return text
    # A backslash is literal, except before a quote or at the end: there it is doubled.
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + found[2].replace('"', '\\"'), text)
    return f'"{escaped}"'
