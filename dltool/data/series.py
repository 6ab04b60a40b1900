"""One or several time series from a CSV file, for forecasting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.csv_file import CsvTable, describe_file, needs_file, read_csv
from dltool.data.notation import rewritten
from dltool.data.row_index import index_note, row_index
from dltool.data.series_columns import ChosenColumns, as_list, choose_columns, columns_of_numbers, doubtful_columns
from dltool.data.series_data import SeriesData
from dltool.data.series_layout import ForecastLayout, SeriesLayout, TimeAxis
from dltool.data.series_preprocessing import read_numbers
from dltool.data.table_notes import shortened
from dltool.data.time_column import TimeColumn, check_distinct, find_time, read_times
from dltool.data.time_step import Step
from dltool.data.timeline import Timeline, in_order, make_timeline, series_of, shown_series, uneven_series
from dltool.data.timeline import describe as timeline_notes
from dltool.declarations.component import Handling, Location, Membership, Positive, register


@register("data", "series", into=SeriesData, inputs="sequence", targets="numbers")
@needs_file
def series(
    _rng: torch.Generator,
    *,
    path: Location[str | None] = None,
    columns: Membership[str | int | list[str | int] | None] = None,
    target: Membership[str | int | list[str | int] | None] = None,
    time: Membership[str | int | list[str | int]] = "auto",
    group: Membership[str | int | None] = None,
    gaps: Membership[Literal["split", "ignore"]] = "split",
    window: Membership[Positive[int]] = 24,
    horizon: Membership[Positive[int]] = 1,
    stride: Membership[Positive[int]] = 1,
    season: Handling[Positive[int] | Literal["auto", "none"]] = "auto",
    target_scaling: Handling[Literal["standardize", "none"]] = "standardize",
    index: Membership[Literal["auto"] | bool] = "auto",
    encoding: Membership[str] = "auto",
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe", "space"]] = "auto",
    quote: Membership[Literal["auto", "double", "none"]] = "auto",
    decimal: Membership[Literal["auto", "point", "comma"]] = "auto",
    thousands: Membership[Literal["auto", "none", "comma", "point", "space", "apostrophe"]] = "auto",
) -> RawData:
    """Windows of the columns, and the rows that follow each: row t + 1 to t + horizon from t - window + 1 to t.

    Args:
        _rng: Not used.
        path: The file, with one row per time step of each series.
        columns: The model's inputs, by name or number; null takes every column of numbers.
        target: The columns to forecast; null takes the same columns.
        time: The column of times, by which rows are sorted: dates, ISO 8601, Unix time, years or plain numbers; or
            several columns, such as date and time of day, or year, month and day. "auto" finds a column of dates,
            "none" takes the rows as equal steps in the order of the file.
        group: The column that names the series of each row, where the file has several; null is one series.
        gaps: "split" makes no window that spans a step other than the most frequent one, "ignore" takes all steps as
            equal. Missing business days, up to a week, are holidays and no gaps.
        window: Number of input rows.
        horizon: Number of rows to forecast, all at once.
        stride: Number of rows from the start of a window to the start of the next.
        season: Rows in a season, for the comparison with a seasonal naive forecast; "auto" takes a day of hours or
            minutes, a week of days, a year of months, quarters or weeks.
        target_scaling: Numbers are learned with mean 0 and deviation 1 in the training split; the loss is in those
            units, metrics and predictions are in the target's own.
        index: Whether the first column is an index of the rows, and not an input unless `columns` or `target` names it;
            see data=csv.
        encoding: Of the file, if it is not Unicode; see data=csv.
        header: Whether the first row names the columns; without, they are column_1, column_2, ….
        delimiter: The separator of the cells; "space" is any number of spaces and tabs.
        quote: Whether a double quote encloses a cell; see data=csv.
        decimal: The sign before the fraction of a number; see data=csv.
        thousands: The sign between groups of three digits; see data=csv.

    Raises:
        DataError: The file is invalid (the message names the file, the row and the column), a time occurs twice in a
            series, or no series has as many rows without a gap as a window and its horizon.
    """
    assert path is not None
    named = [name for name in (*as_list(columns), *as_list(target), *as_list(time), group) if isinstance(name, str)]
    table = read_csv(Path(path), delimiter=delimiter, header=header, quote=quote, encoding=encoding, expected=named)
    table, chosen = choose_columns(table, as_list(columns), as_list(target), time, group)
    timeline = timeline_of(table, chosen, split_gaps=gaps == "split")
    table = in_order(table, timeline.order)
    special = {*chosen.special, *time_index(table, timeline)}
    used = {*chosen.inputs, *chosen.targets} if chosen.inputs else {*range(len(table.names))} - special
    table, notations = rewritten(table, used, decimal, thousands, "categories")
    numbering = None if chosen.inputs else row_index(table, index, {*chosen.targets, *special})
    seen = chosen.inputs or columns_of_numbers(table, {*special, *([] if numbering is None else [numbering])})
    predicted = chosen.targets or seen
    names = tuple(table.names[index] for index in seen)
    starts = starts_of_windows(table, timeline, window=window, horizon=horizon, stride=stride)
    ends = starts + window  # The first rows that are forecast.
    values, history = (torch.from_numpy(read_numbers(table, indices)) for indices in (seen, predicted))
    following = history[ends[:, None] + torch.arange(horizon)]  # (N, horizon, K)
    rows = torch.tensor(table.rows)
    alone = timeline.time is None and chosen.group is None
    unused = sorted({*range(len(table.names))} - {*seen, *predicted, *special})
    axis = axis_of(timeline, chosen.joined, split_gaps=gaps == "split")
    forecast = ForecastLayout(tuple(table.names[index] for index in predicted), horizon, axis, chosen.group_name(table))
    written = {name: notation for name, notation in notations.items() if name in names}
    return RawData(
        Split(cut_windows(values, starts, window, stride), following.flatten(1), rows[ends - 1]),
        None,
        None,
        "numbers",
        feature_names=names,
        target_dim=horizon * len(predicted),
        standardize_targets=target_scaling == "standardize",
        series=SeriesLayout(timeline, rows, history, ends, forecast, season_of(season, timeline.step), written),
        origin=table.origin,
        file_columns=0 if table.header else len(table.names),
        choices={
            **choices_of(timeline, time, season),
            **({} if index != "auto" or numbering is not None else {"data.index": False}),
        },
        notes=(
            describe_file(table, header),
            *index_note(table, numbering, index, {*range(len(table.names))} - {*seen}),
            *describe(table, seen, [*predicted, *special], forecast),
            *timeline_notes(timeline, forecast.group, automatic=chosen.time == "auto"),
            *short_series(timeline, window + horizon),
            *uneven_series(timeline, history.numpy(), forecast.targets),
            *doubtful_columns(table, seen, unused, alone=alone and not chosen.inputs),
            *(f"column {name}: {notation.describe()}" for name, notation in notations.items()),
        ),
    )


def timeline_of(table: CsvTable, chosen: ChosenColumns, *, split_gaps: bool) -> Timeline:
    """The rows in the order of their series and of time.

    Raises:
        DataError: The column does not hold times, or a time occurs twice in a series.
    """
    numbers, names = series_of(table, chosen.group)
    taken = {*chosen.inputs, *chosen.targets, *chosen.special}
    free = [index for index in range(len(table.names)) if index not in taken]
    column: TimeColumn | None = None
    if isinstance(chosen.time, int):
        column = read_times(table, chosen.time, numbers)
    elif chosen.time == "auto":
        column = find_time(table, free, numbers)
    if column is not None:
        check_distinct(table, column, numbers, names, [index for index in free if table.names[index] != column.name])
    return make_timeline(numbers, names, column, split_gaps=split_gaps)


def choices_of(timeline: Timeline, time: object, season: object) -> dict[str, object]:
    """The values chosen where settings are "auto", by key."""
    found: dict[str, object] = {}
    if time == "auto":
        found["data.time"] = "none" if timeline.time is None else timeline.time.name
    if season == "auto":
        found["data.season"] = season_of("auto", timeline.step) or "none"
    return found


def time_index(table: CsvTable, timeline: Timeline) -> list[int]:
    return [] if timeline.time is None else [table.names.index(timeline.time.name)]


def season_of(season: int | str, step: Step | None) -> int | None:
    """The rows in a season, by the setting or by the step of time."""
    if isinstance(season, int):
        return season
    return step.season if season == "auto" and step is not None else None


def axis_of(timeline: Timeline, joined: Sequence[str], *, split_gaps: bool) -> TimeAxis | None:
    """The time of the series, as a run saves it."""
    if timeline.time is None:
        return None
    return TimeAxis(timeline.time.name, timeline.time.format, timeline.step, split_gaps, tuple(joined))


def cut_windows(values: torch.Tensor, starts: torch.Tensor, window: int, stride: int) -> torch.Tensor:
    """The windows from some rows, `(N, T, D)`; a view of the rows `(R, D)` where they are at equal distances."""
    if len(starts) and torch.equal(starts, torch.arange(len(starts)) * stride):
        return values.unfold(0, window, stride)[: len(starts)].transpose(1, 2)
    return values.unfold(0, window, 1)[starts].transpose(1, 2)


def starts_of_windows(table: CsvTable, timeline: Timeline, *, window: int, horizon: int, stride: int) -> torch.Tensor:
    """The first row of each window, int64 `(N,)`; window and forecast are in one part of a series.

    Raises:
        DataError: No part has as many rows.
    """
    needed = window + horizon
    parts = timeline.parts
    longest = max(last - first for first, last in parts)
    if longest < needed:
        several = f", in {len(parts):,} parts between gaps and series of at most {longest}" if len(parts) > 1 else ""
        gaps = "data.gaps=ignore takes all steps as equal, or " if len(timeline.interruptions) else ""
        raise DataError(
            f"{table.origin} has {len(table)} rows{several}, but data.window={window} and data.horizon={horizon} need "
            f"{needed}",
            f"{gaps}data.window={max(1, longest // 4)}",
        )
    return torch.cat(
        [torch.arange(first, last - needed + 1, stride) for first, last in parts if last - first >= needed]
    )


def short_series(timeline: Timeline, needed: int) -> list[str]:
    """Name the series without a window, and how many rows are in parts without one."""
    sizes = dict.fromkeys(range(len(timeline.names)), 0)
    for first, last in timeline.parts:
        number = int(timeline.series[first])
        sizes[number] = max(sizes[number], last - first)
    without = [timeline.names[number] for number, size in sizes.items() if size < needed]
    if not without:
        return []
    return [f"without {needed} rows in a row, and so without a window: {shown_series(without)}"]


def describe(table: CsvTable, seen: Sequence[int], others: Sequence[int], layout: ForecastLayout) -> tuple[str, ...]:
    """Describe the forecast columns, the input columns and the unused columns, one line each.

    Args:
        table: The table.
        seen: The input columns.
        others: The other columns that are used.
        layout: What is forecast.
    """
    given = shortened([table.names[index] for index in seen])
    rows = "the next row" if layout.horizon == 1 else f"the next {layout.horizon} rows"
    unused = [name for index, name in enumerate(table.names) if index not in {*seen, *others}]
    lines = [f"{rows} of {shortened(layout.targets)} from {given}"]
    return (*lines, *([f"not used: {shortened(unused)}"] if unused else []))
