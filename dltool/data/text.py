"""Your own text, one that comes with every Python installation, and one that comes with dltool."""

import hashlib
import sys
from pathlib import Path

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split, Texts
from dltool.data.contents import note_file
from dltool.data.corpus_data import CorpusData
from dltool.data.sequence_data import SequenceData
from dltool.data.stream_data import RawText, StreamData
from dltool.data.text_file import SETTING, TextFile, nonempty_lines
from dltool.declarations.component import Location, Membership, register

BUILTIN = Path(__file__).resolve().parent / "builtin"


@register("data", "text", into=StreamData, inputs="sequence", targets="next_token")
def text(*, path: Location[str | None] = None, encoding: Membership[str] = "auto") -> RawText:
    """A file of text.

    Args:
        path: Path of the file, gzipped or not.
        encoding: Of the file, if it is not Unicode; see data=csv.

    Raises:
        DataError: No path is given; the file is missing, empty, or in another encoding.
    """
    if path is None:
        raise DataError("data.path is not set", "data.path=FILE.txt")
    file = TextFile(Path(path), encoding, SETTING)
    return RawText(file.read(), origin=str(file.path), notes=file.notes)


@register("data", "corpus", into=CorpusData, inputs="sequence", targets="none")
def corpus(*, path: Location[str | None] = None, encoding: Membership[str] = "auto") -> RawText:
    """A file for word vectors, one sentence or document per line: no word's context extends beyond its line.

    Args:
        path: Path of the file, gzipped or not.
        encoding: Of the file, if it is not Unicode; see data=csv.

    Raises:
        DataError: No path is given; the file is missing, empty, or in another encoding.
    """
    return text(path=path, encoding=encoding)


@register("data", "pydoc", into=StreamData, inputs="sequence", targets="next_token")
def pydoc() -> RawText:
    """The reference of the Python language: half a million characters of English in every Python's `help()`.

    The topics are in the order of their names, separated by lines of hyphens. The text differs between versions of
    Python; the log of a run has its hash.
    """
    from pydoc_data import topics

    whole = "\n\n----------\n\n".join(content.strip() for _, content in sorted(topics.topics.items()))
    note_file(Path(topics.__file__), whole.encode())
    digest = hashlib.sha256(whole.encode()).hexdigest()
    version = ".".join(map(str, sys.version_info[:3]))
    return RawText(whole, origin=topics.__file__, notes=(f"the reference of Python {version}, SHA-256 {digest}",))


@register("data", "tang", into=StreamData, inputs="sequence", targets="next_token")
def tang() -> RawText:
    """3,757 Chinese quatrains of the Tang dynasty (618-907), four lines of five characters each (五言绝句).

    All that parse as such in the Complete Tang Poems (全唐詩), in simplified characters, an empty line after each. The
    poems are in the public domain; they are from the npm package chinese-poetry 2.0.1 (MIT), converted with OpenCC.
    """
    path = BUILTIN / "tang.txt"
    return RawText(TextFile(path).read(), origin=str(path))


@register("data", "names", into=SequenceData, inputs="sequence", targets="next_token")
def names(_rng: torch.Generator, *, path: Location[str | None] = None, encoding: Membership[str] = "auto") -> RawData:
    """One word per line, such as a list of names, each learned from beginning to end.

    Args:
        path: Path of the file; empty lines are left out.
        encoding: Of the file, if it is not Unicode; see data=csv.

    Raises:
        DataError: No path is given; the file is missing, empty, or in another encoding.
    """
    if path is None:
        raise DataError("data.path is not set", "data.path=FILE.txt")
    file = TextFile(Path(path), encoding, SETTING)
    words = nonempty_lines(file.read())
    rows = torch.arange(len(words))
    return RawData(
        Split(rows, rows),
        None,
        None,
        "next_token",
        texts=Texts(inputs=words),
        origin=str(file.path),
        notes=file.notes,
    )
