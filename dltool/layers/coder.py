"""The two halves of an autoencoder, fully connected or with strided convolutions."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.layers.activation import activation
from dltool.layers.hidden_layers import hidden_layers


class Form(NamedTuple):
    """The layers between the samples and their codes; the decoder has them in reverse.

    Attributes:
        architecture: "mlp", or "conv", with convolutions between the image and the hidden layers.
        hidden: Width of each fully connected layer, from the sample's side to the code's.
        channels: Channels of each convolution, from the image's side; kernels of 4×4 with stride 2 halve the image.
        activation: After each layer except the last.
    """

    architecture: Literal["mlp", "conv"]
    hidden: Sequence[int]
    channels: Sequence[int]
    activation: str

    def map_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the convolutions' output for samples of a shape; that shape itself if there are none.

        Raises:
            ConfigError: If the samples cannot be halved that often.
        """
        if self.architecture == "mlp":
            return tuple(shape)
        times, sides = 2 ** len(self.channels), shape[1:]
        if any(side % times for side in sides):
            fewer = self.channels[: min(map(halvings, sides))]
            whole = max(times, times * round(max(sides) / times))
            raise ConfigError(
                f"model.channels={list(self.channels)} halves an image {len(self.channels)} times and doubles it as "
                f"often, which gives sides of {times}, {2 * times}, {3 * times}, … pixels, and these images have "
                f"{'×'.join(map(str, sides))}",
                setting("data.resize", whole) + (f", or {setting('model.channels', list(fewer))}" if fewer else ""),
            )
        return (self.channels[-1] if self.channels else shape[0], *(side // times for side in sides))


class Encoder(nn.Module):
    """Maps samples `(B, …)`, optionally with one-hot classes `(B, num_classes)`, to numbers `(B, out_dim)`.

    The classes are appended to the flattened sample, or to the convolutions' flattened output.
    """

    def __init__(self, shape: Sequence[int], form: Form, out_dim: int, num_classes: int = 0) -> None:
        super().__init__()
        maps = form.map_shape(shape)
        self.maps = nn.Sequential()
        for in_channels, out_channels in pairwise(channels_of(shape, form)):
            self.maps.append(nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1))
            self.maps.append(activation(form.activation))
        self.maps.append(nn.Flatten())
        widths = [product(maps) + num_classes, *form.hidden]
        self.layers = nn.Sequential(*hidden_layers(widths, form.activation), nn.Linear(widths[-1], out_dim))

    def forward(self, inputs: Tensor, classes: Tensor | None = None) -> Tensor:
        features = self.maps(inputs)
        return self.layers(features if classes is None else torch.cat([features, classes], dim=1))


class Decoder(nn.Sequential):
    """Maps codes `(B, code_dim)` to unbounded outputs `(B, *shape)`: the layers of the encoder in reverse."""

    def __init__(self, shape: Sequence[int], form: Form, code_dim: int) -> None:
        maps = form.map_shape(shape)
        widths = [code_dim, *reversed(form.hidden)]
        layers = [*hidden_layers(widths, form.activation), nn.Linear(widths[-1], product(maps))]
        layers.append(nn.Unflatten(1, maps))
        for in_channels, out_channels in pairwise(reversed(channels_of(shape, form))):
            layers.append(activation(form.activation))
            layers.append(nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1))
        super().__init__(*layers)


def channels_of(shape: Sequence[int], form: Form) -> list[int]:
    """The channels, from the image's to those of the last convolution."""
    return [shape[0], *form.channels] if form.architecture == "conv" else []


def halvings(side: int) -> int:
    """How often a side can be halved."""
    return (side & -side).bit_length() - 1


def product(sizes: Sequence[int]) -> int:
    return torch.Size(sizes).numel()
