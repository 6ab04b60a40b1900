"""Files that word vectors are measured with: analogies, and pairs of words with how alike people find them."""

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
    """A file in the form of questions-words.txt: ": section", then four words a line.

    Raises:
        DataError: It cannot be read; a line has not four words or stands before the first section (with its number);
            it holds no question.
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
                f"{place(path, number)}: {len(words)} words, where an analogy has 4", "boy girl brother sister"
            )
        else:
            questions.append((words[0], words[1], words[2], words[3]))
    if not any(sections.values()):
        raise DataError(f"{path.expanduser().resolve()} holds no analogy", "task.analogies=null measures none")
    return Analogies(sections)


def read_similarities(path: Path) -> Similarities:
    """A file in the form of WordSim-353's: a heading, then word, word and score, with tabs between them.

    Columns behind those three, such as each person's own score, are left alone.

    Raises:
        DataError: It cannot be read; a line has not these three, or a score that is no number (with its number).
    """
    pairs, scores = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if number == 1 or not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 3 or not all(cells[:2]):
            raise DataError(
                f"{place(path, number)}: two words and a score are needed, with tabs between them", "tiger\tcat\t7.35"
            )
        try:
            scores.append(float(cells[2]))
        except ValueError:
            raise DataError(f"{place(path, number)}: {cells[2]!r} is no number", "tiger\tcat\t7.35") from None
        pairs.append((cells[0], cells[1]))
    if not pairs:
        raise DataError(
            f"{path.expanduser().resolve()} holds no pair behind its heading", "task.similarities=null measures none"
        )
    return Similarities(pairs, scores)


def place(path: Path, number: int) -> str:
    return f"{path.expanduser().resolve()}, line {number}"
