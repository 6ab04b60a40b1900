"""The inputs of an exported network: example values, and which dimensions may have any size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dltool.core.spec import PAD
from dltool.data.preprocessing import example_generator

LONGEST = 200  # Positions in the check of a model that takes any number of them.
TRACED_LENGTH = 16


@dataclass(frozen=True)
class GraphInput:
    """One input of a network.

    Attributes:
        name: In the graph.
        samples: Returns a given number of values of a given length, always the same; the length counts only if it is
            dynamic.
        takes: A description of it.
        axis: The name of dimension 1 if it may have any size; empty if it is fixed.
        max_length: The largest size of that dimension; None if there is no limit.
    """

    name: str
    samples: Callable[[int, int], Tensor]
    takes: str
    axis: str = ""
    max_length: int | None = None

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of the check: the smallest, the largest, and some between; (0,) if they are fixed."""
        if not self.axis:
            return (0,)
        longest = LONGEST if self.max_length is None else self.max_length
        return tuple(sorted({length for length in (1, 2, 7, TRACED_LENGTH + 1, longest) if length <= longest}))

    @property
    def traced_length(self) -> int:
        return TRACED_LENGTH if self.max_length is None else min(TRACED_LENGTH, self.max_length)

    def dynamic_shape(self, batch: Any) -> dict[int, Any]:
        """The dimensions that may have any size, for torch.export."""
        if not self.axis:
            return {0: batch}
        return {0: batch, 1: torch.export.Dim(self.axis, min=1, max=self.max_length)}

    def shape(self) -> list[Any]:
        """The shape as JSON, with names of the dynamic dimensions."""
        fixed = self.samples(1, self.traced_length).shape[1:]
        return ["batch", self.axis, *fixed[1:]] if self.axis else ["batch", *fixed]


def fixed_input(samples: Callable[[int], Tensor], takes: str) -> GraphInput:
    """The input "inputs" of one shape, batch first."""
    return GraphInput("inputs", lambda count, length: samples(count), takes)


def token_input(
    name: str, takes: str, *, num_tokens: int, max_length: int | None, padded: bool, axis: str
) -> GraphInput:
    """An input of tokens int64 `(B, T)`.

    Args:
        name: See GraphInput.
        takes: See GraphInput.
        num_tokens: Size of the vocabulary.
        max_length: See GraphInput.
        padded: Whether shorter rows are right-padded with PAD.
        axis: The name of T.
    """

    def samples(count: int, length: int) -> Tensor:
        generator = example_generator(count)
        if not padded:
            return torch.randint(num_tokens, (count, length), generator=generator)
        tokens = torch.randint(PAD + 1, num_tokens, (count, length), generator=generator)
        sizes = torch.randint(1, length + 1, (count, 1), generator=generator)
        sizes[0] = length  # The padding ends with the longest row.
        return tokens.masked_fill(torch.arange(length) >= sizes, PAD)

    if max_length == 1:
        return GraphInput(name, lambda count, length: samples(count, 1), takes)
    limit = "" if max_length is None else f", at most {max_length}"
    return GraphInput(name, samples, f"{takes}{limit}", axis, max_length)
