"""The command line as the verbs' own argparse parsers read it, up to the word under the cursor."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dltool.completion.answer import Candidate

SEVERAL = ("+", "*")  # `nargs` of arguments that take all words up to the next flag.


@dataclass
class Line:
    """The typed words, parsed.

    Attributes:
        parser: The parser of the verb, or of its action.
        typed: The word under the cursor, up to the cursor; the text after the cursor is ignored.
        words: The positional words before it.
        flags: Destination to the values of each flag before it; an empty list for a flag without values.
        pending: The flag whose value is under the cursor.
    """

    parser: argparse.ArgumentParser
    typed: str
    words: list[str] = field(default_factory=list)
    flags: dict[str, list[str]] = field(default_factory=dict)
    pending: argparse.Action | None = None

    def subparsers(self) -> "argparse._SubParsersAction[argparse.ArgumentParser] | None":
        """The verbs, or the actions of a verb, if one must follow."""
        found = (action for action in self.parser._actions if isinstance(action, argparse._SubParsersAction))
        return next(found, None)

    def positional(self) -> argparse.Action | None:
        """The positional argument that a word at this place belongs to; None if all are given."""
        actions = [a for a in self.parser._actions if not a.option_strings and a is not self.subparsers()]
        if len(self.words) < len(actions):
            return actions[len(self.words)]
        return actions[-1] if actions and actions[-1].nargs in SEVERAL else None


def read_line(parser: argparse.ArgumentParser, words: Sequence[str]) -> Line:
    """Parse the words of a command line, the last of which is under the cursor."""
    line = Line(parser, words[-1])
    for word in words[:-1]:
        subparsers = line.subparsers()
        if line.pending is not None and not (line.pending.nargs in SEVERAL and word.startswith("-")):
            line.flags[line.pending.dest].append(word)
            line.pending = line.pending if line.pending.nargs in SEVERAL else None
        elif word.startswith("-"):
            read_flag(line, word)
        elif subparsers is not None and word in subparsers.choices:
            line.parser = subparsers.choices[word]
        else:
            line.words.append(word)
    if line.pending is not None and line.pending.nargs in SEVERAL and line.typed.startswith("-"):
        line.pending = None
    name, equals, typed = line.typed.partition("=")
    if line.pending is None and equals and name.startswith("--"):
        line.pending = line.parser._option_string_actions.get(name)
        line.typed = typed
    return line


def read_flag(line: Line, word: str) -> None:
    name, equals, value = word.partition("=")
    action = line.parser._option_string_actions.get(name)
    if action is not None:
        values = line.flags.setdefault(action.dest, [])
        values += [value] if equals else []
        line.pending = action if not equals and action.nargs != 0 else None


def flag_candidates(line: Line) -> Iterator[Candidate]:
    """The flags that are not yet given, each in its long form unless the short one is being typed."""
    for action in line.parser._actions:
        repeatable = isinstance(action, argparse._AppendAction)
        if not action.option_strings or action.help == argparse.SUPPRESS:
            continue
        if action.dest in line.flags and not repeatable:
            continue
        long = [name for name in action.option_strings if name.startswith("--")] or action.option_strings
        for name in long if line.typed in ("", "-", "--") else action.option_strings:
            yield Candidate(name, action.help or "")


def subparser_candidates(line: Line) -> Iterator[Candidate]:
    subparsers = line.subparsers()
    for choice in subparsers._choices_actions if subparsers is not None else ():
        yield Candidate(choice.dest, choice.help or "")
