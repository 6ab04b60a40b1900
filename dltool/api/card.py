"""How a notebook shows a run: its title, what was trained, its metrics beside those without a model, a picture."""

import html

from dltool.api.chart import curve_images
from dltool.api.pictures import figure
from dltool.core.safe_read import read_regular
from dltool.figures.curves import collect_curves
from dltool.report.metrics_table import metrics_table
from dltool.report.run_document import intro, results, sections, title_of
from dltool.report.words import word
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import read_environment
from dltool.runs.folder import METRICS
from dltool.runs.records import read_records
from dltool.runs.summary_file import read_summary


def card(record: RunRecord) -> str:
    """A run as HTML, with every text of its files escaped."""
    summary = read_summary(record.path)
    said = "".join(f"<p>{html.escape(text)}</p>" for text in intro(record, summary, read_environment(record)))
    return (
        f"<div><b>{html.escape(title_of(record))}</b> ({html.escape(word(record.state))})"
        f"{said}{metrics_table(results(record, summary))}"
        f"<div>{picture(record)}</div><small><code>{html.escape(str(record.path))}</code></small></div>"
    )


def picture(record: RunRecord) -> str:
    """The curves, or the first picture of a run without curves; empty if it has none."""
    records = read_records(record.path / METRICS)
    per_epoch = record.step / record.epoch if record.step and record.epoch else None
    if images := curve_images(collect_curves(records, per_epoch or 1.0), "epoch" if per_epoch else "step"):
        return images
    for section in sections(record.path):
        for one in section["pictures"]:
            return figure(f"{one['name']}.png", read_regular(record.path / one["file"]), "max-height:20em")
    return ""
