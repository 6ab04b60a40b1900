"""Test files for word vectors: analogies, and pairs of words with human similarity scores."""

from dataclasses import dataclass
from pathlib import Path

from dltool.core.errors import DataError
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
    """Read a file in the format of WordSim-353: a header, then word, word and score, separated by tabs.

    Columns after those three, such as the score of each annotator, are ignored.

    Raises:
        DataError: It cannot be read; a line does not have these three, or its score is not a number (the message has
            its number).
    """
    pairs, scores = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if number == 1 or not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 3 or not all(cells[:2]):
            raise DataError(
                f"{place(path, number)}: two words and a score are needed, separated by tabs", "tiger\tcat\t7.35"
            )
        try:
            scores.append(float(cells[2]))
        except ValueError:
            raise DataError(f"{place(path, number)}: {cells[2]!r} is not a number", "tiger\tcat\t7.35") from None
        pairs.append((cells[0], cells[1]))
    if not pairs:
        raise DataError(
            f"{path.expanduser().resolve()} has no pair after its header", "task.similarities=null measures none"
        )
    return Similarities(pairs, scores)


def place(path: Path, number: int) -> str:
    return f"{path.expanduser().resolve()}, line {number}"
