"""Reads files in the CoNLL-U format (universaldependencies.org/format.html)."""

from collections.abc import Iterator

from dltool.core.errors import DataError
from dltool.data.text_file import TextFile

NUM_COLUMNS = 10


def sentences_of(file: TextFile, column: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """For each sentence, the line of its first word, and its words with their tags."""
    sentence: list[tuple[str, str]] = []
    first = 0
    for number, line in enumerate([*file.read().split("\n"), ""], start=1):
        if not line.strip():
            if sentence:
                yield first, sentence
                sentence = []
        elif not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) != NUM_COLUMNS:
                raise DataError(
                    f"{file.path}, line {number}: {len(cells)} columns, but CoNLL-U has {NUM_COLUMNS}",
                    "columns are separated by single tabs; an empty one is _",
                )
            if cells[0].isdigit():  # Not 3-4, nor 3.1.
                first = first if sentence else number
                word, tag = cells[1].strip(), cells[column].strip()
                if not word:
                    raise DataError(f"{file.path}, line {number}: the word is empty", "fix or remove the sentence")
                sentence.append((word, tag))
