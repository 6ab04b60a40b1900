"""The uses of a trained model: the names in `Task.uses`, and the interface that each requires of a task.

| name | a task with this use |
|---|---|
| generate | generates samples from codes: GenerativeTask |
| denoise | generates samples from noise in steps: RemovesNoise |
| mix | generates samples with the styles of two codes: MixesStyles |
| reconstruct | reconstructs samples from their codes: CodingTask |
| translate | translates images between two domains: TranslatesImages |
| continue | continues a text: ContinuesText |
| write | writes a text for each input: WritesText |
| compare | has a vector for each word: HasWordVectors |
| fill | predicts the words of a text's blanks |
| classify | predicts a class for each sample, or for each position of it |

Callers use `generates(task)` and the like, which also give the type checker the task's methods, instead of checking the
task's class.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeGuard

import torch
from torch import Tensor, nn

from dltool.tasks.coding import CodingTask
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.task import Task


class MixesStyles(Protocol):
    """Generates samples whose first layers have the style of one code and the others that of another."""

    @property
    def num_styles(self) -> int:
        """The number of layers with a style of their own."""
        ...

    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        crossover: int,
        labels: tuple[Tensor | None, Tensor | None] = (None, None),
        **options: Any,
    ) -> Tensor:
        """Samples of two codes each; see StyleGan2Task.mix."""
        ...


class RemovesNoise(Protocol):
    """Generates samples from noise in steps, with a network of images, noise levels and classes."""

    def sampler(self) -> dict[str, Any]:
        """The sampler of an evaluation, as JSON.

        Returns:
            "steps": {"time": the noise level t / T, and the numbers of dltool.tasks.diffusion.Step}, "prediction":
            "epsilon", "x" or "v", "guidance", "range": of the predictions of x_0, or null.
        """
        ...


class TranslatesImages(Protocol):
    """Translates images between two domains.

    Attributes:
        directions: The names of the two directions.
        model: With the networks of both directions.
        classifier: Returns logits for images `(B, C, H, W)` of either domain, pixels in [0, 1], with which an
            evaluation measures whether translations keep their class; None disables that.
    """

    model: nn.Module
    directions: tuple[str, ...]
    classifier: Callable[[Tensor], Tensor] | None

    def translate(self, images: Tensor, direction: str) -> Tensor:
        """Translate images scaled as model inputs, `(B, C, H, W)`."""
        ...


class ContinuesText(Protocol):
    """Continues a text token by token."""

    def decode(
        self,
        prompt: Tensor,
        num_tokens: int | None = None,
        forbidden: Sequence[int] = (),
        stop: int | None = None,
        source: torch.Generator | None = None,
        **options: Any,
    ) -> Iterator[Tensor]:
        """The tokens after a prompt; see LanguageModelTask.decode."""
        ...


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

    @property
    def analogy_questions(self) -> Mapping[str, Tensor]:
        """Section to questions "a is to b as c is to d", tokens `(Q, 4)`; empty if the task has none."""
        ...


def generates(task: Task) -> TypeGuard[GenerativeTask]:
    """Whether the model generates samples from codes."""
    return "generate" in task.uses


def removes_noise(task: Task) -> TypeGuard[RemovesNoise]:
    """Whether the model generates samples from noise in steps."""
    return "denoise" in task.uses


def mixes_styles(task: Task) -> TypeGuard[MixesStyles]:
    """Whether the model mixes the styles of two codes."""
    return "mix" in task.uses


def reconstructs(task: Task) -> TypeGuard[CodingTask]:
    """Whether the model reconstructs samples from codes."""
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
