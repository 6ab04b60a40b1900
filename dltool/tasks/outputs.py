"""What a task gives to its callers besides losses and predictions: networks to export, figures, a suggested command."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
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


class Adversaries(NamedTuple):
    """A generator G and a discriminator D, with the weights that the task's model has when they are called.

    Both are evaluated without gradients and in evaluation mode.

    Attributes:
        generator: The network G.
        latent_dim: Numbers in the noise z.
        prior: Distribution of each number of z: N(0, 1) or U(-1, 1).
        noise: Draws z, `(count, latent_dim)`, with a generator on the CPU.
        generate: z to samples `(N, *input_shape)`, scaled as the data.
        discriminate: Scaled samples to D's outputs, `(N,)`.
        probabilities: D's outputs to the probabilities of data that they estimate; None for a critic.
    """

    generator: nn.Module
    latent_dim: int
    prior: Literal["normal", "uniform"]
    noise: Callable[[int, torch.Generator], Tensor]
    generate: Callable[[Tensor], Tensor]
    discriminate: Callable[[Tensor], Tensor]
    probabilities: Callable[[Tensor], Tensor | None]


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
        row_names: The names of its rows; without them the grid has the images alone.
    """

    samples: Tensor
    num_columns: int | None = None
    row_names: Sequence[str] = ()


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
