"""StyleGAN2: a generator controlled by styles, in a size that trains here."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.layers.doublings import doublings
from dltool.layers.equalized import EqualizedConv2d, EqualizedLinear, ScaledLeakyReLU, normalized
from dltool.layers.full_precision import full_precision
from dltool.layers.minibatch_std import MinibatchStd
from dltool.layers.modulated_convolution import ModulatedConv2d
from dltool.layers.resampling import Blur, Upsample
from dltool.models.adversarial_networks import AdversarialNetworks
from dltool.models.class_condition import needs_classes

W_AVERAGE_DECAY = 0.995


@register("model", "stylegan2", inputs="image", min_size=8, native_size=32, tasks=("stylegan2", "gan"))
@needs_classes
class StyleGan2(AdversarialNetworks):
    """Karras et al. 2020 (arXiv:1912.04958): figures 2d and 7, G with output skips and D with residuals.

    Images are squares of 4 to 7 pixels doubled at least once: 28, 32, 64. There is no norm except demodulation.
    Deviations: smaller by default; a constant of 4 to 7 pixels instead of 4; no mixed precision of its own; in
    evaluation mode the noise is fixed, the same for every sample, as in the authors' noise_mode=const.

    With a condition it is class-conditional as stylegan2-ada (Karras et al. 2020, arXiv:2006.06676, appendix C): G's
    mapping gets the embedded class concatenated to z, and D's output is the product of its features with a mapping of
    the class. Deviation: truncation uses the mean style of the class, not of all classes.

    Args:
        latent_dim: Numbers in the code z, from N(0, 1), which is normalized first.
        w_dim: Numbers in a style w.
        mapping_layers: Layers of the network from z to w, with 0.01 of the other layers' learning rate.
        width: Channels at the image's full size; they double where the size halves.
        max_width: Maximum number of channels.
        noise: Whether each convolution of G adds noise to each position, with a learned strength, initially zero.
        condition: "input" generates samples of a class.
    """

    generator: "StyleGenerator"

    def __init__(
        self,
        spec: DataSpec,
        *,
        latent_dim: Positive[int] = 64,
        w_dim: Positive[int] = 64,
        mapping_layers: Positive[int] = 4,
        width: Positive[int] = 16,
        max_width: Positive[int] = 64,
        noise: bool = True,
        condition: Literal["none", "input"] = "none",
    ) -> None:
        super().__init__(latent_dim, "normal", 0 if condition == "none" else spec.num_classes)
        _, height, image_width = spec.input_shape
        sides = doublings(height, image_width, "stylegan2", square=True).heights
        widths = [min(width * sides[-1] // side, max_width) for side in sides]
        channels = spec.input_shape[0]
        of_classes = Mapping(0, self.num_classes, w_dim, mapping_layers) if self.num_classes else None
        self.generator = StyleGenerator(
            Mapping(latent_dim, self.num_classes, w_dim, mapping_layers),
            Synthesis(sides, widths, w_dim, channels, noise=noise),
        )
        self.discriminator = ResidualDiscriminator(sides, widths, channels, of_classes)


class Mapping(nn.Module):
    """The mapping from z, the class or both to w.

    Args:
        latent_dim: Numbers in z; 0 for none.
        num_classes: Length of the one-hot class after z; 0 for none.
        w_dim: Width of the embedded class, of each layer and of w.
        num_layers: Number of layers.
    """

    def __init__(self, latent_dim: int, num_classes: int, w_dim: int, num_layers: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.w_dim = w_dim
        self.embedding = EqualizedLinear(num_classes, w_dim) if num_classes else None
        widths = [latent_dim + (w_dim if num_classes else 0)] + [w_dim] * num_layers
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [EqualizedLinear(narrow, wide, lr_multiplier=0.01), ScaledLeakyReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, codes: Tensor) -> Tensor:
        """w `(B, w_dim)` from z followed by the one-hot class, `(B, latent_dim + num_classes)`; in float32."""
        with full_precision(codes):
            z, classes = codes.float().tensor_split([self.latent_dim], dim=1)
            parts = [normalized(z)] if self.latent_dim else []
            if self.embedding is not None:
                parts.append(normalized(self.embedding(classes)))
            return self.layers(torch.cat(parts, dim=1))


class StyleGenerator(nn.Module):
    """Mapping, then synthesis with the same style at every layer.

    Attributes:
        w_average: Running mean style of each class, or of all, `(max(num_classes, 1), w_dim)`.
    """

    w_average: Tensor

    def __init__(self, mapping: Mapping, synthesis: "Synthesis") -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.register_buffer("w_average", torch.zeros(max(mapping.num_classes, 1), mapping.w_dim))

    def forward(self, codes: Tensor) -> Tensor:
        """Images `(B, C, H, W)` from codes `(B, latent_dim + num_classes)`."""
        return self.synthesis(self.at_every_layer(self.mapping(codes)))

    def at_every_layer(self, styles: Tensor) -> Tensor:
        """w `(B, w_dim)` expanded to `(B, num_layers, w_dim)`."""
        return styles[:, None].expand(-1, self.synthesis.num_layers, -1)

    def mixed(self, styles: Tensor, others: Tensor, probability: float) -> Tensor:
        """Style mixing: for a share of the samples, the layers from a random one on get the other style (Karras et
        al. 2019, arXiv:1812.04948, section 3.1).

        Args:
            styles: `(B, w_dim)`.
            others: The same.
            probability: Of mixing, per sample.

        Returns:
            `(B, num_layers, w_dim)`.
        """
        count, num_layers, device = len(styles), self.synthesis.num_layers, styles.device
        crossing = torch.randint(1, num_layers, (count, 1), device=device)
        crossing = crossing.masked_fill(torch.rand(count, 1, device=device) >= probability, num_layers)
        is_first = torch.arange(num_layers, device=device) < crossing  # (B, num_layers)
        return torch.where(is_first[:, :, None], styles[:, None], others[:, None])

    @torch.no_grad()
    def track(self, styles: Tensor, labels: Tensor | None) -> None:
        """Update the mean style of each class with styles of a training step; β is 0.995, as in the authors' code."""
        if labels is None:
            self.w_average.lerp_(styles.mean(dim=0, keepdim=True), 1 - W_AVERAGE_DECAY)
            return
        one_hot = nn.functional.one_hot(labels, len(self.w_average)).to(styles.dtype)  # (B, num_classes)
        counts = one_hot.sum(dim=0)[:, None]
        means = one_hot.T @ styles / counts.clamp(min=1)
        self.w_average.copy_(torch.where(counts > 0, self.w_average.lerp(means, 1 - W_AVERAGE_DECAY), self.w_average))

    def truncated(self, styles: Tensor, labels: Tensor | None, truncation: float) -> Tensor:
        """w̄ + ψ (w - w̄) (Karras et al. 2019, arXiv:1812.04948, appendix B), with the mean of the class."""
        means = self.w_average if labels is None else self.w_average[labels]
        return torch.lerp(means.expand_as(styles), styles, truncation)


class Synthesis(nn.Module):
    """From a learned constant to an image; every size adds to the doubled image of the previous one (figure 7b).

    Args:
        sides: Of the maps, each twice the previous one.
        widths: Channels at each.
        w_dim: Width of a style.
        channels: Of the image.
        noise: See StyleGan2.

    Attributes:
        num_layers: Layers with a style of their own; a size's image shares that of the next size's first convolution.
    """

    def __init__(self, sides: list[int], widths: list[int], w_dim: int, channels: int, *, noise: bool) -> None:
        super().__init__()
        self.num_layers = 2 * len(sides)
        self.constant = nn.Parameter(torch.randn(widths[0], sides[0], sides[0]))
        self.layers = nn.ModuleList([StyledLayer(widths[0], widths[0], w_dim, sides[0], noise=noise)])
        for (narrow, wide), side in zip(pairwise(widths), sides[1:], strict=True):
            self.layers.append(StyledLayer(narrow, wide, w_dim, side, noise=noise, double=True))
            self.layers.append(StyledLayer(wide, wide, w_dim, side, noise=noise))
        self.to_image = nn.ModuleList(ToImage(width, channels, w_dim) for width in widths)
        self.upsample = Upsample()

    def forward(self, styles: Tensor) -> Tensor:
        """Images `(B, C, H, W)` from styles `(B, num_layers, w_dim)`, approximately in [-1, 1]."""
        style = styles.unbind(dim=1)
        constant = self.constant.repeat(styles.shape[0], 1, 1, 1)  # len() would fix the batch size in a graph.
        features = self.layers[0](constant, style[0])
        image = self.to_image[0](features, style[1])
        for i in range(1, len(self.to_image)):
            features = self.layers[2 * i - 1](features, style[2 * i - 1])
            features = self.layers[2 * i](features, style[2 * i])
            image = self.upsample(image) + self.to_image[i](features, style[2 * i + 1])
        return image


class StyledLayer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU."""

    fixed_noise: Tensor

    def __init__(
        self, input_dim: int, output_dim: int, w_dim: int, side: int, *, noise: bool, double: bool = False
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(input_dim, output_dim, 3, w_dim, double=double)
        self.noise_strength = nn.Parameter(torch.zeros(())) if noise else None
        self.bias = nn.Parameter(torch.zeros(output_dim, 1, 1))
        self.activation = ScaledLeakyReLU()
        drawn = torch.randn(1, side, side, generator=generator(0, "stylegan2 noise", side, int(double)))
        self.register_buffer("fixed_noise", drawn, persistent=False)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        features = self.convolution(features, style)
        if self.noise_strength is not None:
            noise = self.fixed_noise
            if self.training:  # One map per sample, the same for all channels.
                noise = torch.randn_like(features[:, :1])
            features = features + (noise * self.noise_strength).to(features.dtype)
        return self.activation(features + self.bias.to(features.dtype))


class ToImage(nn.Module):
    """A modulated 1×1 convolution, without demodulation, that outputs colours."""

    def __init__(self, input_dim: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(input_dim, channels, 1, w_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        return self.convolution(features, style).float() + self.bias


class ResidualDiscriminator(nn.Module):
    """Figure 7c; followed by the minibatch standard deviation and two layers.

    Args:
        sides: Of the maps, the image's last.
        widths: Channels at each side.
        channels: Of the image.
        mapping: From the class to a vector, if conditional; it is multiplied with as many features.
    """

    def __init__(self, sides: list[int], widths: list[int], channels: int, mapping: Mapping | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(EqualizedConv2d(channels, widths[-1], 1), ScaledLeakyReLU())
        for wide, narrow in pairwise(reversed(widths)):
            self.blocks.append(HalvingBlock(wide, narrow))
        last = widths[0]
        num_features = 1 if mapping is None else mapping.w_dim
        self.head = nn.Sequential(
            MinibatchStd(),
            EqualizedConv2d(last + 1, last, 3, padding=1),
            ScaledLeakyReLU(),
            nn.Flatten(),
            EqualizedLinear(last * sides[0] ** 2, last),
            ScaledLeakyReLU(),
            EqualizedLinear(last, num_features),
        )
        self.mapping = mapping

    def forward(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        """`(B,)`, above 0 for data, for images `(B, C, H, W)` and one-hot classes `(B, num_classes)`."""
        features = self.head(self.blocks(images))
        if self.mapping is None:
            return features[:, 0]
        assert classes is not None, "a conditional discriminator needs the classes"
        return (features.float() * self.mapping(classes)).mean(dim=1) * features.shape[1] ** 0.5


class HalvingBlock(nn.Module):
    """Two convolutions, the second of which halves the map, plus a shortcut; divided by √2 to preserve the variance."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            EqualizedConv2d(input_dim, input_dim, 3, padding=1),
            ScaledLeakyReLU(),
            Blur(padding=2),
            EqualizedConv2d(input_dim, output_dim, 3, stride=2),
            ScaledLeakyReLU(),
        )
        self.shortcut = nn.Sequential(Blur(padding=1, stride=2), EqualizedConv2d(input_dim, output_dim, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        return (self.branch(features) + self.shortcut(features)) * 0.5**0.5
