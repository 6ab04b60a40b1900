"""A verb is a module with SUMMARY, EXAMPLES, `add_arguments(parser)` and `run(args)`, which returns the exit code.

A verb whose arguments depend on the words of the command also has `add_options(parser, words)`.
"""

import argparse
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def add_verb(verbs: Any, name: str, module: ModuleType, words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Create the parser of one verb, or of one action of a verb.

    Args:
        verbs: The result of `parser.add_subparsers()`.
        name: Its name on the command line.
        module: The verb.
        words: The words after the verb, if the command line has this verb.

    Raises:
        ConfigError: If the arguments depend on the words, and those name no run.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=module.SUMMARY,
        description=module.SUMMARY,
        epilog=module.EXAMPLES,
        formatter_class=Help,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    if words and hasattr(module, "add_options"):
        module.add_options(parser, words)
    return parser


class Help(argparse.RawDescriptionHelpFormatter):
    """Examples with their line breaks; a column wide enough for every verb, whose indentation argparse omits."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 14
