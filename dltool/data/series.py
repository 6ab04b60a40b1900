"""A time series from a CSV file, for forecasting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.cells import parse_numbers
from dltool.data.csv_file import CsvTable, needs_file, read_csv
from dltool.data.csv_table import find_column, shortened
from dltool.data.notation import rewritten
from dltool.data.series_data import SeriesData
from dltool.data.series_preprocessing import read_numbers
from dltool.declarations.component import Handling, Location, Membership, Positive, register


@register("data", "series", into=SeriesData, inputs="sequence", targets="numbers")
@needs_file
def series(
    _rng: torch.Generator,
    *,
    path: Location[str | None] = None,
    columns: Membership[list[str | int] | None] = None,
    target: Membership[list[str | int] | None] = None,
    window: Membership[Positive[int]] = 24,
    horizon: Membership[Positive[int]] = 1,
    stride: Membership[Positive[int]] = 1,
    target_scaling: Handling[Literal["standardize", "none"]] = "standardize",
    header: Membership[Literal["auto"] | bool] = "auto",
    delimiter: Membership[Literal["auto", "comma", "semicolon", "tab", "pipe"]] = "auto",
    quote: Membership[Literal["auto", "double", "none"]] = "auto",
    decimal: Membership[Literal["auto", "point", "comma"]] = "auto",
    thousands: Membership[Literal["auto", "none", "comma", "point", "space", "apostrophe"]] = "auto",
) -> RawData:
    """Windows of the columns, and the rows that follow each: row t + 1 to t + horizon from t - window + 1 to t.

    Args:
        _rng: Not used.
        path: The file, with one row per time step, the earliest first, at equal intervals.
        columns: The model's inputs, by name or number; null takes every column of numbers.
        target: The columns to forecast; null takes the same columns.
        window: Number of input rows.
        horizon: Number of rows to forecast, all at once.
        stride: Number of rows from the start of a window to the start of the next.
        target_scaling: Numbers are learned with mean 0 and deviation 1 in the training split; the loss is in those
            units, metrics and predictions are in the target's own.
        header: Whether the first row names the columns; without, they are column_1, column_2, ….
        delimiter: The separator of the cells.
        quote: Whether a double quote encloses a cell; see data=csv.
        decimal: The sign before the fraction of a number; see data=csv.
        thousands: The sign between groups of three digits; see data=csv.

    Raises:
        DataError: The file is invalid (the message names the file, the row and the column), or has fewer rows than a
            window and its horizon.
    """
    assert path is not None
    named = [name for name in (*(columns or ()), *(target or ())) if isinstance(name, str)]
    table = read_csv(Path(path), delimiter=delimiter, header=header, quote=quote, expected=named)
    inputs = [find_column(table, name, "data.columns") for name in columns or ()]
    targets = [find_column(table, name, "data.target") for name in target or ()]
    used = {*inputs, *targets} if inputs else range(len(table.names))
    table, notations = rewritten(table, used, decimal, thousands, "categories")
    seen = inputs or columns_of_numbers(table)
    predicted = targets or seen
    names = tuple(table.names[index] for index in seen)
    check_length(table, window, horizon)
    starts = torch.arange(0, len(table) - window - horizon + 1, stride)
    ends = starts + window  # The first rows that are forecast.
    values, forecast = (torch.from_numpy(read_numbers(table, chosen)) for chosen in (seen, predicted))
    windows = values.unfold(0, window, stride)[: len(starts)].transpose(1, 2)  # (N, T, D), a view
    following = forecast[ends[:, None] + torch.arange(horizon)]  # (N, horizon, K)
    return RawData(
        Split(windows, following.flatten(1), torch.tensor(table.rows)[ends - 1]),
        None,
        None,
        "numbers",
        feature_names=names,
        target_dim=horizon * len(predicted),
        standardize_targets=target_scaling == "standardize",
        forecast_columns=horizon * tuple(seen.index(index) if index in seen else None for index in predicted),
        spans=torch.stack([ends, ends + horizon - 1], dim=1),
        origin=table.origin,
        file_columns=0 if table.header else len(table.names),
        notations={name: notation for name, notation in notations.items() if name in names},
        notes=(
            *describe(table, seen, predicted, horizon),
            *(f"column {name}: {notation.describe()}" for name, notation in notations.items()),
        ),
    )


def check_length(table: CsvTable, window: int, horizon: int) -> None:
    """Raises DataError if the table has fewer rows than one window and its forecast."""
    needed = window + horizon
    if len(table) < needed:
        raise DataError(
            f"{table.origin} has {len(table)} rows, but data.window={window} and data.horizon={horizon} need {needed}",
            f"data.window={max(1, len(table) // 4)}",
        )


def columns_of_numbers(table: CsvTable) -> list[int]:
    """The columns in which more cells are numbers than texts.

    Raises:
        DataError: No column holds numbers.
    """
    found = []
    for index, cells in enumerate(table.columns):
        numbers, texts = parse_numbers(cells)
        if texts.sum() * 2 < len(numbers):
            found.append(index)
    if not found:
        raise DataError(
            f"{table.origin}: none of the columns {shortened(table.names)} holds numbers",
            f"are its cells separated by a {table.delimiter}? data.delimiter=comma, semicolon, tab or pipe",
        )
    return found


def describe(table: CsvTable, seen: Sequence[int], predicted: Sequence[int], horizon: int) -> tuple[str, ...]:
    """Describe the forecast columns, the input columns and the unused columns, one line each."""
    forecast, given = (shortened([table.names[index] for index in chosen]) for chosen in (predicted, seen))
    rows = "the next row" if horizon == 1 else f"the next {horizon} rows"
    unused = [name for index, name in enumerate(table.names) if index not in {*seen, *predicted}]
    lines = [f"{table.origin}: {len(table):,} rows; {rows} of {forecast} from {given}"]
    return (*lines, *([f"not used: {shortened(unused)}"] if unused else []))
