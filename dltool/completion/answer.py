"""The completions of the word under the cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Candidate:
    """One word, or the rest of one. After a text that ends with `=`, `.` or `,` the shell adds no space."""

    text: str
    description: str = ""


@dataclass(frozen=True)
class Answer:
    """The candidates for the word under the cursor.

    Attributes:
        candidates: In display order, without `prefix`.
        prefix: The part of the word before the completion, such as "model=mlp," in a sweep.
        paths: The kind of path that the shell itself completes after `prefix`, in place of candidates.
    """

    candidates: Sequence[Candidate] = ()
    prefix: str = ""
    paths: Literal["", "files", "folders"] = ""


def matching(candidates: Iterable[Candidate], typed: str) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.text.startswith(typed)]
