"""A verb is a module with SUMMARY, EXAMPLES, `add_arguments(parser)` and `run(args)`, which returns the exit code."""

import argparse
from types import ModuleType
from typing import Any


def add_verb(verbs: Any, name: str, module: ModuleType) -> argparse.ArgumentParser:
    """Make the parser of one verb, or of one action of a verb.

    Args:
        verbs: The result of `parser.add_subparsers()`.
        name: The verb as it is typed.
        module: The verb's module.
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
    return parser


class Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are written; the first column fits every verb, whose indent argparse ignores."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 14
