"""Sentences with a tag for each word, in the CoNLL-U format (universaldependencies.org/format.html)."""

from itertools import chain
from pathlib import Path
from typing import Literal

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData
from dltool.data.conllu_file import sentences_of
from dltool.data.sequence_data import SequenceData
from dltool.data.split_files import TextRows, find_split_files, joined
from dltool.data.table_notes import alike_notes
from dltool.data.text_file import SETTING, TextFile
from dltool.declarations.component import Handling, Location, Membership, register, requires

COLUMNS = {"upos": 3, "xpos": 4}  # ID, FORM, LEMMA, UPOS, XPOS, FEATS, …, from 0.


@register("data", "conllu", into=SequenceData, inputs="sequence", targets="tags")
@requires(
    lambda config: (config.data.root is None) != (config.data.train is None),
    "data=conllu needs either a folder or a training file",
    hint="data.root=FOLDER with *-train.conllu, *-dev.conllu and *-test.conllu, or data.train=FILE.conllu",
)
def conllu(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    train: Location[str | None] = None,
    val: Location[str | None] = None,
    test: Location[str | None] = None,
    column: Handling[Literal["upos", "xpos"]] = "upos",
    encoding: Membership[str] = "auto",
) -> RawData:
    """Words and their parts of speech.

    Comments, the lines of multiword tokens (3-4) and empty nodes (3.1) are left out: the words are those that the
    treebank counts.

    Args:
        _rng: Not used.
        root: A folder whose files have train, dev and test in their names and end in .conllu.
        train: A file that replaces the folder's; splits without a file are taken from the training file's sentences.
        val: A file of the validation split.
        test: A file of the test split.
        column: The tag: universal ("upos"), or language-specific ("xpos").
        encoding: Of the files, if they are not Unicode; see data=csv.

    Raises:
        DataError: A file is missing or malformed; the message names the file and the line.
    """
    files = {name: Path(path) for name, path in (("train", train), ("val", val), ("test", test)) if path is not None}
    if root is not None:
        files = find_split_files(Path(root), (".conllu",), {name: name for name in ("train", "val", "test")}, files)
    opened = {name: TextFile(path, encoding, SETTING) for name, path in files.items()}
    sentences = {name: read_sentences(file, column) for name, file in opened.items()}
    names = tuple(sorted({tag for split in sentences.values() for tags in split.targets for tag in tags}))
    numbers = {tag: number for number, tag in enumerate(names)}
    numbered = {
        name: TextRows(split.inputs, [[numbers[tag] for tag in tags] for tags in split.targets], split.rows)
        for name, split in sentences.items()
    }
    num_words = sum(len(tags) for tags in sentences["train"].targets)
    return joined(
        numbered,
        "tags",
        class_names=names,
        origin=str(Path(root or files["train"]).expanduser().resolve()),
        notes=(
            *chain.from_iterable(file.notes for file in opened.values()),
            f"{len(numbered['train'].inputs):,} sentences to train on, {num_words:,} words, {len(names)} tags",
            *(f"data.column={column}: {note}" for note in alike_notes(names)),
            *([f"every word has the tag {names[0]} (data.column)"] if len(names) == 1 else []),
        ),
    )


def read_sentences(file: TextFile, column: str) -> TextRows:
    """The words of each sentence, and their tags, as texts; the row is the line of its first word.

    Raises:
        DataError: A line does not have ten columns, or has no tag.
    """
    words, tags, rows = [], [], []
    for row, sentence in sentences_of(file, COLUMNS[column]):
        found = [tag for _, tag in sentence]
        if "_" in found:
            other = "xpos" if column == "upos" else "upos"
            word = sentence[found.index("_")][0]
            raise DataError(
                f"{file.path}: the word {word!r} of the sentence that begins in line {row} has no {column}",
                setting("data.column", other),
            )
        words.append([word for word, _ in sentence])
        tags.append(found)
        rows.append(row)
    if not words:
        raise DataError(f"{file.path} has no sentence", "a CoNLL-U file has one word per line, in ten columns")
    return TextRows(words, tags, rows)
