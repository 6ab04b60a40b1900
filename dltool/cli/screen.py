"""How predictions are printed: lines, tables, and texts with an annotation under each word."""

import sys
from collections.abc import Sequence
from pathlib import Path

from dltool.cli.tables import cell_width, print_table, terminal_width
from dltool.core.printable import printable

WIDTH = 100  # Columns without a terminal.
GAP = 2


class TerminalScreen:
    """Standard output, as dltool.tasks.predictions.Screen; control characters are printed as their escapes."""

    def line(self, text: str) -> None:
        print(printable(text))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> None:
        print_table(headings, [tuple(map(printable, row)) for row in rows], numbers=numbers)

    def pairs(self, above: Sequence[str], below: Sequence[str]) -> None:
        width = terminal_width() or WIDTH
        upper = lower = ""
        for top, bottom in zip(map(printable, above), map(printable, below), strict=True):
            cell = max(cell_width(top), cell_width(bottom)) + GAP
            if upper and cell_width(upper) + cell - GAP > width:
                print(upper.rstrip(), lower.rstrip(), sep="\n")
                upper = lower = ""
            upper += top + " " * (cell - cell_width(top))
            lower += bottom + " " * (cell - cell_width(bottom))
        print(upper.rstrip(), lower.rstrip(), "", sep="\n")


def print_drawn(paths: Sequence[Path]) -> None:
    """Print the paths of the figures to standard error."""
    print(f"figures: {', '.join(map(str, paths))}", file=sys.stderr)
