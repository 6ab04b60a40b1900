"""CSV for spreadsheets, none of whose cells a spreadsheet executes.

A text that begins with =, +, -, @, a tab or a carriage return is a formula to a spreadsheet, and a formula can run
programs and send cells away. Names of classes, columns and files come from data, so such a text gets a leading
apostrophe, which spreadsheets take as the mark of a text (OWASP, "CSV injection"). Numbers are unchanged.
"""

import csv
from collections.abc import Iterable
from typing import Any, TextIO

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvWriter:
    """Writes rows.

    Args:
        file: Where they are written to.
    """

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow(map(as_cell, row))

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        for row in rows:
            self.writerow(row)


def as_cell(value: Any) -> Any:
    """A value as a cell: a text that would be a formula begins with an apostrophe."""
    text = value if isinstance(value, int | float) or value is None else str(value)
    if not isinstance(text, str) or len(text) < 2 or not text.startswith(FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
