"""R3GAN: plain residual networks, which train thanks to a regularized GAN loss."""

import math
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.layers.doublings import doublings
from dltool.layers.resampling import Blur, Upsample
from dltool.models.adversarial_networks import AdversarialNetworks
from dltool.models.class_condition import needs_classes

SLOPE = 0.2  # Of the leaky ReLUs,
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # which scales the weights before them (He et al. 2015, arXiv:1502.01852).


@register("model", "r3gan", inputs="image", min_size=8, native_size=32, tasks=("gan",))
@needs_classes
@requires(
    lambda config: config.model.expansion * config.model.width % config.model.group_width == 0,
    "model.group_width does not divide model.expansion · model.width, the channels of the grouped convolutions",
    hint="model.width=16 model.expansion=2 model.group_width=16",
)
class R3Gan(AdversarialNetworks):
    """Huang et al. 2024 (arXiv:2501.05441), section 4: "config E", the last step from StyleGAN2 to a plain ResNet.

    G and D mirror each other: stages of inverted bottlenecks, bilinear resampling between them, and at the smallest map
    a learned basis weighted by the noise in G and a depthwise convolution in D. There is no norm, no style, no noise
    besides z and no minibatch statistic. Weights are initialized by Fix-up (Zhang et al. 2019, arXiv:1901.09321): the
    last layer of each branch to zero, the two before scaled by L^(-1 / (2m - 2)) = L^(-1/4), for L branches of m = 3.

    Images are squares of 4 to 7 pixels doubled at least once: 28, 32, 64. With a condition the embedded class is
    concatenated to z in G, and D's features are multiplied with an embedding of the class.

    Deviations: smaller by default (the authors' CIFAR-10 networks have 768 channels at every size, 2 blocks with groups
    of 16 channels and expansion 2); channels double where the size halves; the map is zero-padded where the filter
    [1, 3, 3, 1] resamples it; the embedded class initially has variance one, as z; no mixed precision of its own. The
    authors let γ, β₂, the learning rate and the average's half-life follow cosines; here γ and β₂ are constant, and
    `schedule` and `trainer.average` control the other two.

    Args:
        latent_dim: Numbers in the noise z, from N(0, 1).
        width: Channels at the image's full size; they double where the size halves.
        max_width: Maximum number of channels.
        blocks: Inverted bottlenecks at each size.
        expansion: Channels inside a bottleneck, as a multiple of those outside.
        group_width: Channels in each group of its 3×3 convolution.
        condition: "input" generates samples of a class.
        condition_dim: Width of the embedded class.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        latent_dim: Positive[int] = 64,
        width: Positive[int] = 16,
        max_width: Positive[int] = 64,
        blocks: Positive[int] = 2,
        expansion: Positive[int] = 2,
        group_width: Positive[int] = 16,
        condition: Literal["none", "input"] = "none",
        condition_dim: Positive[int] = 32,
    ) -> None:
        super().__init__(latent_dim, "normal", 0 if condition == "none" else spec.num_classes)
        _, height, image_width = spec.input_shape
        sides = doublings(height, image_width, "r3gan", square=True).heights
        widths = [min(width * sides[-1] // side, max_width) for side in sides]
        num_blocks = blocks * len(sides)

        def stage(channels: int) -> list[nn.Module]:
            return [Bottleneck(channels, expansion * channels, group_width, num_blocks) for _ in range(blocks)]

        channels, first, last = spec.input_shape[0], widths[0], widths[-1]
        embedding_dim = condition_dim if self.num_classes else 0
        layers: list[nn.Module] = [GenerativeBasis(latent_dim + embedding_dim, first, sides[0]), *stage(first)]
        for narrow, wide in pairwise(widths):
            layers += [*transition(narrow, wide), Upsample(), *stage(wide)]
        self.generator = ConditionalGenerator(latent_dim, self.num_classes, embedding_dim, layers)
        self.generator.layers.append(convolution(last, channels))
        layers = [convolution(channels, last)]
        for wide, narrow in pairwise(reversed(widths)):
            layers += [*stage(wide), Blur(padding=1, stride=2), *transition(wide, narrow)]
        layers += [*stage(first), DiscriminativeBasis(first, embedding_dim or 1, sides[0])]
        self.discriminator = ProjectionDiscriminator(self.num_classes, embedding_dim, layers)


def convolution(input_dim: int, output_dim: int, *, kernel: int = 1, groups: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A convolution without biases, its weights from N(0, gain² / n_in)."""
    layer = nn.Conv2d(input_dim, output_dim, kernel, padding=kernel // 2, groups=groups, bias=False)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    return layer


def linear(input_dim: int, output_dim: int, gain: float = 1.0) -> nn.Linear:
    """The same for a linear map."""
    layer = nn.Linear(input_dim, output_dim, bias=False)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(input_dim))
    return layer


def transition(input_dim: int, output_dim: int) -> list[nn.Module]:
    """A change of the number of channels; empty if it stays. It is done at the smaller of the two maps."""
    return [] if input_dim == output_dim else [convolution(input_dim, output_dim)]


class Biased(nn.Module):
    """A bias for each channel, then leaky ReLU; the network has no other biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        return F.leaky_relu(features + self.bias.to(features.dtype), SLOPE)


class Bottleneck(nn.Module):
    """Inverted: 1×1 to more channels, grouped 3×3, 1×1 back to the original number, with a shortcut (figure 3d).

    Args:
        channels: Outside the bottleneck.
        inner: Inside it.
        group_width: Channels in a group.
        num_blocks: L, of the whole network.
    """

    def __init__(self, channels: int, inner: int, group_width: int, num_blocks: int) -> None:
        super().__init__()
        gain = GAIN * num_blocks ** (-1 / 4)
        self.branch = nn.Sequential(
            convolution(channels, inner, gain=gain),
            Biased(inner),
            convolution(inner, inner, kernel=3, groups=inner // group_width, gain=gain),
            Biased(inner),
            convolution(inner, channels, gain=0.0),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.branch(features)


class GenerativeBasis(nn.Module):
    """A learned map for each channel, times the channel's weight, a linear map of the noise."""

    def __init__(self, input_dim: int, channels: int, side: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, side, side))
        self.weights = linear(input_dim, channels)

    def forward(self, codes: Tensor) -> Tensor:
        return self.basis * self.weights(codes)[:, :, None, None]


class DiscriminativeBasis(nn.Module):
    """Each channel times a learned map, summed over the positions; then a linear map."""

    def __init__(self, channels: int, output_dim: int, side: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, side, side) / side)
        self.weights = linear(channels, output_dim)

    def forward(self, features: Tensor) -> Tensor:
        """`(B, output_dim)` from `(B, C, side, side)`."""
        return self.weights((features * self.basis).sum(dim=(2, 3)))


class ConditionalGenerator(nn.Module):
    """The generator: layers that take the noise followed by the embedded class."""

    def __init__(self, latent_dim: int, num_classes: int, embedding_dim: int, layers: list[nn.Module]) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.embedding = linear(num_classes, embedding_dim, gain=math.sqrt(num_classes)) if num_classes else None
        self.layers = nn.Sequential(*layers)

    def forward(self, codes: Tensor) -> Tensor:
        """Images `(B, C, H, W)` from codes `(B, latent_dim + num_classes)`."""
        if self.embedding is None:
            return self.layers(codes)
        z, classes = codes.tensor_split([self.latent_dim], dim=1)
        return self.layers(torch.cat([z, self.embedding(classes).to(z.dtype)], dim=1))


class ProjectionDiscriminator(nn.Module):
    """The discriminator: the product of its features with those of the class, or a single feature."""

    def __init__(self, num_classes: int, embedding_dim: int, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        gain = math.sqrt(num_classes / embedding_dim) if num_classes else 0.0
        self.embedding = linear(num_classes, embedding_dim, gain=gain) if num_classes else None

    def forward(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        """`(B,)`, above 0 for data, for images `(B, C, H, W)` and one-hot classes `(B, num_classes)`."""
        features = self.layers(images)
        if self.embedding is None:
            return features[:, 0]
        assert classes is not None, "a conditional discriminator needs the classes"
        return (features.float() * self.embedding(classes).float()).sum(dim=1)
