"""What may stand under the cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Candidate:
    """One word, or the rest of one. After a text that ends with `=`, `.` or `,` the cursor stays at it."""

    text: str
    description: str = ""


@dataclass(frozen=True)
class Answer:
    """The candidates for the word under the cursor.

    Attributes:
        candidates: In the order in which they are shown, without `prefix`.
        prefix: The beginning of the word that stays as it is, such as "model=mlp," in a sweep.
        paths: What the shell itself completes after `prefix`, in place of candidates.
    """

    candidates: Sequence[Candidate] = ()
    prefix: str = ""
    paths: Literal["", "files", "folders"] = ""


def matching(candidates: Iterable[Candidate], typed: str) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.text.startswith(typed)]
