"""Metrics as a table of HTML, as notebooks show them."""

import html
from collections.abc import Mapping, Sequence

LEFT, RIGHT = 'style="text-align:left"', 'style="text-align:right"'


def metrics_table(rows: Sequence[Mapping[str, str]]) -> str:
    """The table, with every text escaped; empty without a row.

    Args:
        rows: {"name", "value", "beside"}, as a document's results.
    """
    cells = "".join(
        f"<tr><td {LEFT}>{html.escape(row['name'])}</td><td {RIGHT}><b>{html.escape(row['value'])}</b></td>"
        f"<td {LEFT}>{html.escape(row['beside'])}</td></tr>"
        for row in rows
    )
    return f"<table>{cells}</table>" if cells else ""
