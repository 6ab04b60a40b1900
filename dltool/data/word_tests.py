"""Test files for word vectors: analogies, and pairs of words with human similarity scores."""

from dataclasses import dataclass
from pathlib import Path

from dltool.core.errors import DataError
from dltool.data.csv_file import is_number
from dltool.data.text_file import read_text


@dataclass(frozen=True)
class Analogies:
    """Sections of questions (a, b, c, d): a is to b as c is to d."""

    sections: dict[str, list[tuple[str, str, str, str]]]


@dataclass(frozen=True)
class Similarities:
    """Pairs of words, and the score of each."""

    pairs: list[tuple[str, str]]
    scores: list[float]


def read_analogies(path: Path) -> Analogies:
    """Read a file in the format of questions-words.txt: ": section", then four words per line.

    Raises:
        DataError: It cannot be read; a line does not have four words or is before the first section (the message has
            its number); it has no question.
    """
    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    questions: list[tuple[str, str, str, str]] | None = None
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        if line.startswith(":"):
            questions = sections.setdefault(" ".join(words).removeprefix(":").strip(), [])
        elif questions is None:
            raise DataError(
                f"{place(path, number)}: a question before the first section", "first a line such as `: family`"
            )
        elif len(words) != 4:
            raise DataError(
                f"{place(path, number)}: {len(words)} words, but an analogy has 4", "boy girl brother sister"
            )
        else:
            questions.append((words[0], words[1], words[2], words[3]))
    if not any(sections.values()):
        raise DataError(f"{path.expanduser().resolve()} has no analogy", "task.analogies=null measures none")
    return Analogies(sections)


def read_similarities(path: Path) -> Similarities:
    """Read a file with two words and their score per line, as of WordSim-353, SimLex-999, MEN and RG-65.

    The cells are separated by tabs, semicolons, commas or spaces, and a header is optional. The score is the first
    number of the first pair's line; other columns, such as the score of each annotator, are ignored.

    Raises:
        DataError: It cannot be read; a line does not have two words and a score (the message has its number).
    """
    lines = [(number, line) for number, line in enumerate(read_text(path).split("\n"), start=1) if line.strip()]
    delimiter = next((mark for mark in "\t;," if mark in lines[0][1]), None)
    table = [(number, [cell.strip() for cell in line.split(delimiter)]) for number, line in lines]
    if not any(map(is_number, table[0][1][2:3])):
        table = table[1:]
    if not table:
        raise DataError(
            f"{path.expanduser().resolve()} has no pair after its header", "task.similarities=null measures none"
        )
    cells = table[0][1]
    column = next((i for i in range(2, len(cells)) if is_number(cells[i])), 2)
    pairs, scores = [], []
    for number, cells in table:
        if len(cells) <= column or not all(cells[:2]):
            raise DataError(
                f"{place(path, number)}: two words and a score are needed, separated by tabs, commas or spaces",
                "tiger,cat,7.35",
            )
        if not is_number(cells[column]):
            raise DataError(f"{place(path, number)}: {cells[column]!r} is not a number", "tiger,cat,7.35")
        pairs.append((cells[0], cells[1]))
        scores.append(float(cells[column]))
    return Similarities(pairs, scores)


def place(path: Path, number: int) -> str:
    return f"{path.expanduser().resolve()}, line {number}"
