"""Raw samples, as files or in memory, as batches that a model takes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.errors import DataError
from dltool.data.arrays import Column
from dltool.data.csv_file import CsvTable
from dltool.data.preprocessing import Preprocessing
from dltool.data.series_preprocessing import SeriesPreprocessing
from dltool.data.table_preprocessing import CategoryColumn, TablePreprocessing
from dltool.data.text_file import read_lines
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.inference.image_inputs import Named, find_images, image_files, image_objects

NUM_TEXTS = 64  # A batch at most: what is said of texts can be large, a probability of each word of a vocabulary.

Raw = str | Path | Sequence[Any] | Tensor | np.ndarray


def prepared(inputs: Raw, preprocessing: Preprocessing, batch_size: int) -> Iterator[Named]:
    """Batches of at most `batch_size` samples. See dltool.inference.run.Run.predict for what the inputs may be.

    Raises:
        DataError: They cannot be read, or are none that the model takes.
    """
    if isinstance(preprocessing, TextPreprocessing):
        yield from texts(inputs, preprocessing, batch_size)
        return
    paths = as_paths(inputs)
    if isinstance(preprocessing, SeriesPreprocessing):
        refuse_frame(inputs, f"frame[{list(preprocessing.columns)}].to_numpy()")
        yield forecasts(paths, inputs, preprocessing)
    elif isinstance(preprocessing, TablePreprocessing):
        refuse_frame(inputs, "frame.to_dict('records')")
        names, rows = read_table(paths, inputs, preprocessing)
        for start in range(0, len(rows), batch_size):
            yield names[start : start + batch_size], rows[start : start + batch_size]
    elif paths is not None:
        yield from image_files(find_images(paths), preprocessing, batch_size)
    else:
        yield from image_objects(inputs, preprocessing, batch_size)


def refuse_frame(inputs: Any, hint: str) -> None:
    """Raises DataError for a data frame: read as an array, its columns would be taken by position, not by name."""
    if hasattr(inputs, "columns") and hasattr(inputs, "to_numpy"):
        raise DataError("a data frame is not read by position", hint)


def texts(inputs: Raw, preprocessing: TextPreprocessing, batch_size: int) -> Iterator[Named]:
    """Texts as they are, or the lines of files that are given as Paths; empty lines are left out."""
    files = [inputs] if isinstance(inputs, Path) else list(inputs) if isinstance(inputs, Sequence) else []
    if files and all(isinstance(path, Path) for path in files):
        lines = [line for path in files for line in read_lines(path)]
    elif isinstance(inputs, str):
        lines = [inputs]
    elif isinstance(inputs, Sequence) and all(isinstance(text, str) for text in inputs):
        lines = list(inputs)
    else:
        raise DataError("a model of texts takes a text, a list of texts, or the path of a file with a text a line")
    batch_size = min(batch_size, NUM_TEXTS) if preprocessing.padded else 1  # Parts of a stream are not padded.
    for start in range(0, len(lines), batch_size):
        part = lines[start : start + batch_size]
        names = [f"text {start + place}" for place in range(1, len(part) + 1)]
        yield part, preprocessing(part, names).long()


def forecasts(paths: Sequence[Path] | None, inputs: Any, preprocessing: SeriesPreprocessing) -> Named:
    """The last rows of each CSV file, or windows in memory, `(B, T, D)` or `(T, D)`, in the order of the columns."""
    if paths is not None:
        found = [preprocessing.last_window(path) for path in paths]
        names = [f"{path} {name}" if len(paths) > 1 else name for path, (name, _) in zip(paths, found, strict=True)]
        return names, torch.cat([window for _, window in found])
    windows = torch.as_tensor(np.asarray(inputs, dtype=np.float64))
    windows = windows[None] if windows.ndim == 2 else windows
    wanted = (preprocessing.window, len(preprocessing.columns))
    if windows.ndim != 3 or tuple(windows.shape[1:]) != wanted:
        raise DataError(f"the windows have the shape {tuple(windows.shape)}, not (B, {wanted[0]}, {wanted[1]})")
    return [str(place) for place in range(len(windows))], preprocessing(windows)


def as_paths(inputs: Raw) -> list[Path] | None:
    """The paths that the inputs are, or None."""
    if isinstance(inputs, (str, Path)):
        return [Path(inputs).expanduser()]
    if isinstance(inputs, Sequence) and inputs and all(isinstance(path, (str, Path)) for path in inputs):
        return [Path(path).expanduser() for path in inputs]
    return None


def read_table(
    paths: Sequence[Path] | None, inputs: Any, preprocessing: TablePreprocessing
) -> tuple[list[str], Tensor]:
    """Rows of CSV files, mappings or numbers, encoded, float32 `(N, width)`; a row is named as in its file."""
    if paths is not None:
        tables = [preprocessing.read(path) for path in paths]
        names = [
            f"{path}:{row}" if len(tables) > 1 else str(row)
            for path, table in zip(paths, tables, strict=True)
            for row in table.rows
        ]
        return names, torch.cat([preprocessing(table) for table in tables])
    if isinstance(inputs, Sequence) and inputs and all(isinstance(row, Mapping) for row in inputs):
        table = CsvTable.from_rows(inputs)
        return [str(row) for row in table.rows], preprocessing(table)
    return read_numbers(inputs, preprocessing)


def read_numbers(inputs: Any, preprocessing: TablePreprocessing) -> tuple[list[str], Tensor]:
    """Numbers `(B, D)` or `(D,)` in the order of the columns."""
    columns = preprocessing.columns
    if texts := [column.name for column in columns if isinstance(column, CategoryColumn)]:
        raise DataError(
            f"the column {texts[0]} holds categories, which are no numbers", f"[{{'{columns[0].name}': …}}, …]"
        )
    try:
        values = torch.as_tensor(np.asarray(inputs, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise DataError(f"the rows are no numbers: {error}", "a CSV file, mappings, or numbers (B, D)") from error
    values = values[None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] != len(columns):
        shape = tuple(values.shape)
        raise DataError(f"the rows have the shape {shape}, not (B, {len(columns)}), a number for each column")
    names = [str(row) for row in range(1, len(values) + 1)]
    return names, preprocessing.encode(values, [Column(column.name) for column in columns], "rows")
