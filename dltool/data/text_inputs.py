"""Reads the texts of a use of a run: typed ones, lines of files, a column of CSV files, sentences of CoNLL-U files."""

import re
from collections.abc import Sequence
from pathlib import Path

from dltool.core.errors import DataError
from dltool.data.arrays import Text, TextColumn
from dltool.data.conllu_file import sentences_of
from dltool.data.csv_file import Delimiter, read_csv
from dltool.data.raw_inputs import Raw
from dltool.data.table_columns import find
from dltool.data.text_file import TextFile, read_lines

TABLES = {".csv": "comma", ".tsv": "tab", ".tab": "tab"}  # And their usual delimiters.
SPACES = re.compile(r"[ \t\r\n]+")  # Not the no-break space.
NO_BREAK_SPACE = "\u00a0"


def texts_of(inputs: Raw, column: TextColumn | None) -> list[Text]:
    """Given texts or lists of words, or the texts of files given as Paths.

    Args:
        inputs: See dltool.inference.run.Run.predict.
        column: The column of the texts in CSV files; None reads such files line by line, too.

    Raises:
        DataError: They are not texts; a file cannot be read, or lacks the column.
    """
    files = [inputs] if isinstance(inputs, Path) else list(inputs) if isinstance(inputs, Sequence) else []
    if files and all(isinstance(path, Path) for path in files):
        return [text for path in files for text in texts_of_file(path, column)]
    if isinstance(inputs, str):
        return [inputs]
    if isinstance(inputs, Sequence) and all(map(is_text, inputs)):
        return list(inputs)
    raise DataError(
        "a model of texts takes a text, a list of texts or of lists of words, or the path of a file with one text per "
        "line"
    )


def is_text(value: object) -> bool:
    words = isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value)
    return words or isinstance(value, str)


def texts_of_file(path: Path, column: TextColumn | None) -> Sequence[Text]:
    """The lines of a file, without empty ones; by the ending of its name, its sentences, or the cells of a column."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix == ".conllu":
        return [[word for word, _ in sentence] for _, sentence in sentences_of(TextFile(path), column=1)]
    if column is None or suffix not in TABLES:
        return read_lines(path)
    return cells_of(path, column, "tab" if TABLES[suffix] == "tab" else column.delimiter)


def cells_of(path: Path, column: TextColumn, delimiter: Delimiter) -> list[str]:
    """The cells of a file's column, without surrounding blanks."""
    table = read_csv(
        path,
        delimiter=delimiter,
        header="auto" if column.header else False,
        quote=column.quote,
        expected=[column.name] if column.header else [],
    )
    if table.header or not column.header:
        names = table.names
    else:
        raise DataError(f"{table.origin} has no header", f"a first row with the column {column.name}")
    place = 0 if len(names) == 1 and not column.header else find(column.name, names, table.origin)
    cells = [cell.strip() for cell in table.columns[place]]
    if "" in cells:
        row = table.rows[cells.index("")]
        raise DataError(f"{table.origin}: row {row}, {names[place]}: the cell is empty", "fill it, or remove the row")
    return cells


def given_words(text: Text) -> Sequence[str]:
    """The words of a text that are separated by spaces; a no-break space is part of a word."""
    return [word for word in SPACES.split(text) if word] if isinstance(text, str) else text


def shown(text: Text) -> str:
    """A text, or words separated by spaces; spaces within a word become no-break spaces."""
    return text if isinstance(text, str) else " ".join(word.replace(" ", NO_BREAK_SPACE) for word in text)
