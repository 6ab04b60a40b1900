"""What a trained model can be used for: a word of `Task.uses`, and what a task must have to be used so.

| word | a task that names it |
|---|---|
| generate | makes samples from codes: GenerativeTask |
| reconstruct | makes samples again from their codes: CodingTask |
| translate | translates images between two domains: TranslatesImages |
| continue | continues a text: ContinuesText |
| write | writes a text for each input: WritesText |
| compare | has a vector for each word: HasWordVectors |
| fill | predicts the words of a text's blanks |
| classify | predicts a class for each sample, or for each position of it |

Who uses a run asks `generates(task)` and the like, which also give the type checker the task's methods; nobody asks of
what class a task is.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

from torch import Tensor

from dltool.tasks.coding import CodingTask
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.task import Task


class TranslatesImages(Protocol):
    """Translates images between two domains.

    Attributes:
        directions: Their names.
        classifier: Gives logits of images `(B, C, H, W)` of either domain, pixels in [0, 1], by which an evaluation
            measures whether translations keep their class; None measures it not.
    """

    directions: tuple[str, ...]
    classifier: Callable[[Tensor], Tensor] | None

    def translate(self, images: Tensor, direction: str) -> Tensor:
        """Translate images that are scaled as the model takes them, `(B, C, H, W)`."""
        ...


class ContinuesText(Protocol):
    """Continues a text token by token.

    Attributes:
        language_model: With `advance(tokens, state)`; see dltool.decoding.sampling.
    """

    language_model: Any


class WritesText(Protocol):
    """Writes a text for each input, by a search for the likeliest one."""

    def searching(self, beam: int | None = None, length_penalty: float | None = None) -> Task:
        """The same task with another search."""
        ...


class HasWordVectors(Protocol):
    """Has a vector for each word."""

    @property
    def word_vectors(self) -> Tensor:
        """The vectors `(V, D)` of all tokens, in the order of the vocabulary, special tokens first."""
        ...


def generates(task: Task) -> TypeGuard[GenerativeTask]:
    """Whether the model makes samples from codes."""
    return "generate" in task.uses


def reconstructs(task: Task) -> TypeGuard[CodingTask]:
    """Whether the model has codes, from which it makes samples again."""
    return "reconstruct" in task.uses


def translates_images(task: Task) -> TypeGuard[TranslatesImages]:
    """Whether the model translates images between two domains."""
    return "translate" in task.uses


def continues_text(task: Task) -> TypeGuard[ContinuesText]:
    """Whether the model continues texts."""
    return "continue" in task.uses


def writes_text(task: Task) -> TypeGuard[WritesText]:
    """Whether the model writes a text for each input."""
    return "write" in task.uses


def has_word_vectors(task: Task) -> TypeGuard[HasWordVectors]:
    """Whether the model has a vector for each word."""
    return "compare" in task.uses
