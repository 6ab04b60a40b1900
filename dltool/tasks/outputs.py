"""What a task gives to its callers besides losses and predictions: networks to export, figures, a suggested command."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor, nn


class Network(NamedTuple):
    """A part of a model that can be used separately.

    Attributes:
        module: Maps one tensor to one, batch dimension first; two to one where `reads_target`.
        noise: Draws the given number of inputs, the same each time, if the inputs are not data; else None.
        takes: A description of the inputs; empty where they are the data's inputs.
        gives: A description of the outputs; empty where they are predictions of the data's targets.
        reads_target: Whether the module's second argument is the target so far, int64 `(B, U)`.
    """

    module: nn.Module
    noise: Callable[[int], Tensor] | None = None
    takes: str = ""
    gives: str = ""
    reads_target: bool = False


class Suggestion(NamedTuple):
    """A command that uses a trained model, `dltool VERB RUN ARGUMENTS`.

    Attributes:
        title: A word for its purpose.
        verb: The subcommand.
        arguments: The arguments after the run; may be empty.
    """

    title: str
    verb: str
    arguments: str = ""


class DecodedText(NamedTuple):
    """A text that a decoder generates token by token.

    Attributes:
        inputs: The decoder's inputs, int64 `(1, U)`: BEGIN and all tokens but the last.
        read: The name of each input token.
        written: The name of each generated token.
    """

    inputs: Tensor
    read: list[str]
    written: list[str]


class Picture(NamedTuple):
    """Samples that show the progress of training.

    Attributes:
        samples: `(N, *input_shape)`, scaled as the data.
        num_columns: Columns of a grid of them; None for about as many as rows.
    """

    samples: Tensor
    num_columns: int | None = None


class ImageTable(NamedTuple):
    """A figure of images in rows and columns, such as the stages of their generation.

    Attributes:
        images: `(R, K, *input_shape)`, scaled as the data.
        row_names: R names.
        column_names: K names.
        title: Describes the figure.
    """

    images: Tensor
    row_names: Sequence[str]
    column_names: Sequence[str]
    title: str


class Trial(NamedTuple):
    """One artificial sample, with which a model is tried before the training.

    Attributes:
        inputs: The arguments of the model's forward, on the CPU.
        positions: The outputs must be `(1, *positions, output_dim)`.
    """

    inputs: tuple[Tensor, ...]
    positions: tuple[int, ...] = ()
