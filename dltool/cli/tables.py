"""Tables within the width of a terminal; plain full lines for programs, or if there are many."""

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from dltool.core.spreadsheet import CsvWriter

Row = Sequence[str]
GAP = 2  # Columns between two cells.
MAX_RICH_ROWS = 200  # rich takes more than a millisecond per row, plain lines some microseconds.


def print_table(
    headings: Row,
    rows: Sequence[Row],
    *,
    numbers: Sequence[int] = (),
    styles: Sequence[str] = (),
    fold: bool = True,
) -> None:
    """Print rows below headings.

    Args:
        headings: One per column; all empty for a table without headings.
        rows: Each with as many texts as headings.
        numbers: Columns that are right-aligned.
        styles: rich's style of each row's second cell, such as "green"; only on a terminal.
        fold: Break the texts of cells that do not fit the terminal; else its lines are longer, and texts stay whole.
    """
    if sys.stdout.isatty() and len(rows) <= MAX_RICH_ROWS:
        print_rich(headings, rows, numbers, styles, fold)
        return
    lines = [headings, *rows] if any(headings) else list(rows)
    widths = [max(map(cell_width, column), default=0) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            " " * (width - cell_width(text)) + text if place in numbers else text + " " * (width - cell_width(text))
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print((" " * GAP).join(cells).rstrip())


def write_csv(file: TextIO, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV, with numbers in full precision."""
    writer = CsvWriter(file)
    writer.writerow(headings)
    writer.writerows([all_digits(cell) if isinstance(cell, float) else cell for cell in row] for row in rows)


def all_digits(number: float) -> str:
    """The shortest digits that restore the number: at most nine for a float32, else as Python writes it."""
    return f"{number:.9g}" if array("f", [number])[0] == number else repr(number)


def print_rich(headings: Row, rows: Sequence[Row], numbers: Sequence[int], styles: Sequence[str], fold: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from dltool.core.console import Console

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=any(headings), header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if place in numbers else "left", overflow="fold")
    for row, style in zip(rows, [*styles, *[""] * (len(rows) - len(styles))], strict=True):
        table.add_row(*(Text(text, style=style if place == 1 else "") for place, text in enumerate(row)))
    console = Console(highlight=False)
    if not fold:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum
        )
    console.print(table)


def cell_width(text: str) -> int:
    """Columns that a text occupies on a screen: Chinese characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def terminal_width() -> int | None:
    """Columns of the terminal of standard output; None if it is not a terminal."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns
