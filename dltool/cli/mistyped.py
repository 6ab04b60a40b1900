"""Hints for words of a command line that argparse does not know: the nearest command, flag or key."""

import argparse
import re
from collections.abc import Sequence

from dltool.core.hints import KEYS, by_other_name, nearest
from dltool.core.shell import quoted

CHOICE = re.compile(r"(?:argument (?P<of>[^:]+): )?invalid choice: '?(?P<word>.*?)'? \(choose from (?P<names>.*)\)")


def wrong_choice(message: str, prog: str) -> tuple[str, str | None] | None:
    """argparse's message for a word that is not among the choices, in dltool's words, and a hint; None for another."""
    found = CHOICE.fullmatch(message)
    if found is None:
        return None
    names = [name.strip("' ") for name in found["names"].split(",")]
    near, of, word = nearest(found["word"], names), found["of"], found["word"]
    if of in (None, "VERB", "ACTION", "verb", "action"):
        hint = f"did you mean {prog} {near}?" if near else None
        return f"there is no command {word}; the commands are {', '.join(names)}", hint
    hint = f"did you mean {of} {near}?" if near and of.startswith("-") else near and f"did you mean {near}?"
    return f"{of} {word}: invalid choice, {'one of ' * (len(names) > 1)}{', '.join(names)} is needed", hint


def flag_hint(flag: str, words: Sequence[str], parser: argparse.ArgumentParser, *, takes_keys: bool) -> str | None:
    """What a flag that a command does not have stands for: a key with its value, or another flag.

    Args:
        flag: Such as "--epochs" or "--epochs=5".
        words: Those of the command line.
        parser: That of the command.
        takes_keys: Whether the command accepts `key=value`.
    """
    name, equals, value = flag.partition("=")
    after = [*words[words.index(flag) + 1 :], "-"][0]
    value = value if equals else "…" if after.startswith("-") or "=" in after else after
    word = name.lstrip("-").replace("-", "_")
    keys = by_other_name(KEYS) | {ours: ours for ours in by_other_name(KEYS).values()} if takes_keys else {}
    known = keys.get(word) or (word if takes_keys and "." in word else None)
    flags = [one for action in parser._actions for one in action.option_strings if one.startswith("--")]
    if known is None and (near := nearest(name, flags)):
        return f"did you mean {near}? {parser.prog} --help lists all"
    known = known or keys.get(nearest(word, keys) or "")
    return (
        known and f"settings are written without dashes: {quoted(f'{known}={value}') if value != '…' else f'{known}=…'}"
    )
