"""A verb is a module with SUMMARY, EXAMPLES, `add_arguments(parser)` and `run(args)`, which gives the exit code."""

import argparse
from types import ModuleType
from typing import Any


def add_verb(verbs: Any, name: str, module: ModuleType) -> argparse.ArgumentParser:
    """Make the parser of one verb, or of one action of a verb.

    Args:
        verbs: What `parser.add_subparsers()` gave.
        name: As it is typed.
        module: The verb.
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
    """Examples as they are written; a column that is wide enough for every verb, which argparse forgets to indent."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 14
