"""metrics.csv: metrics.jsonl for spreadsheets and data frames."""

import io
import math
from collections.abc import Iterable
from typing import Any, ClassVar

from dltool.core.spreadsheet import CsvWriter
from dltool.observers.line_file import LineFile
from dltool.observers.mirror import Mirror, measurements
from dltool.runs.records import read_records

KEYS = ("step", "epoch", "split")


class CsvLog(Mirror):
    """One row per record: step, epoch, split, then one column per metric without its split, `loss`, `accuracy`, `lr`.

    A record with a new metric rewrites the whole file from metrics.jsonl with a longer header (this happens a few
    times at the beginning); any other is appended. So the file is always the same function of metrics.jsonl, on
    resume too.

    A cell is empty if the record does not have the metric, and `nan` if the metric was not finite, so that a
    diverged loss is visible. (An infinity is `nan` too, as metrics.jsonl has null for both.) pandas, R, polars and
    numpy read `nan` as a number; a spreadsheet shows it as text, and leaves it out of its sums.
    """

    name: ClassVar[str] = "metrics.csv"

    def open(self, records: list[dict[str, Any]]) -> None:
        self.columns: list[str] = []
        self.lines = LineFile(self.run.files / self.name)
        if records or (self.run.path / self.name).exists():
            self._rewrite(records)

    def write(self, record: dict[str, Any]) -> None:
        if not without_split(record).keys() <= set(self.columns):
            self._rewrite(read_records(self.run.metrics))
            return
        self.lines.add(to_csv([self._row(record)]).encode(), may_wait=record["split"] == "step")

    def close(self, state: str) -> None:
        self.lines.close()

    def _rewrite(self, records: list[dict[str, Any]]) -> None:
        self.columns = list(dict.fromkeys(name for record in records for name in without_split(record)))
        text = to_csv([[*KEYS, *self.columns], *map(self._row, records)])
        self.lines.close()
        (self.run.files / self.name).write(text, durable=False)

    def _row(self, record: dict[str, Any]) -> list[Any]:
        values = without_split(record)
        return [*(record[key] for key in KEYS), *(values.get(name) for name in self.columns)]


def without_split(record: dict[str, Any]) -> dict[str, float]:
    """A record's metrics, `val/loss` as `loss`; values that are not finite become NaN."""
    values = {name.partition("/")[2]: value for name, value in measurements(record).items()}
    return {name: value if math.isfinite(value) else math.nan for name, value in values.items()}


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as text; floats in the fewest digits that read back as the same float."""
    text = io.StringIO()
    CsvWriter(text).writerows(rows)
    return text.getvalue()
