"""The deep convolutional generative adversarial network."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register, requires
from dltool.layers.batch_norm import BatchNorm2d
from dltool.layers.bounded import Bounded
from dltool.layers.doublings import doublings
from dltool.models.adversarial_networks import AdversarialNetworks, bounded_output_needs_least_squares
from dltool.models.class_condition import needs_classes

MOST_CHANNELS = 8  # In multiples of the width.
NORMS: dict[str | None, Callable[[int], nn.Module]] = {
    "batch": BatchNorm2d,
    "layer": partial(nn.GroupNorm, 1),  # One mean and deviation per sample, over channels and pixels.
    "spectral": lambda channels: nn.Identity(),  # Applied to the weights, not to the maps.
    None: lambda channels: nn.Identity(),
}


@register("model", "dcgan", inputs="image", min_size=8, native_size=32, tasks=("gan",))
@requires(
    lambda config: (
        config.model.discriminator_norm != "batch"
        or config.loss.name not in ("wasserstein_gp", "relativistic", "non_saturating_r1")
    ),
    "model.discriminator_norm=batch: a gradient penalty is per sample, but batch norm makes D's output "
    "depend on the other samples",
    hint="model.discriminator_norm=layer, or null",
)
@bounded_output_needs_least_squares
@needs_classes
class Dcgan(AdversarialNetworks):
    """Radford, Metz and Chintala, "Unsupervised representation learning …" (2016, arXiv:1511.06434, figure 1).

    G: a linear layer to small maps, then transposed convolutions of stride 2, each with batch norm and ReLU, to an
    image through tanh. D: convolutions of stride 2 with leaky ReLU and batch norm, none in its first layer, to one
    number. Weights are initialized from N(0, 0.02²). Channels double towards the small maps, up to 8 times the width.
    64×64 pixels take four such layers from 4×4, 28×28 two from 7×7.

    Deviations: batch norm's gains are initialized from N(1, 0.02²) as in PyTorch's example; z is normal; kernels are
    4×4, which cover all pixels equally often, where the authors' code has 5×5 (kernel=5); data and fakes are separate
    batches for D's batch norm, as in the example and the authors' code.

    The ways to condition on a class: "input" concatenates one-hot classes to z and, as maps, to the image (Mirza and
    Osindero 2014, arXiv:1411.1784); "every_layer" to the maps of every layer, as in the authors' script for MNIST
    (Newmu/dcgan_code); "projection" conditions G like "input" and adds to D(x) the product of the class's embedding
    with the sum of the last maps over their pixels (Miyato and Koyama 2018, arXiv:1802.05637, eq. 3; their G has
    conditional batch norm).

    Args:
        latent_dim: Numbers in the noise z.
        prior: Distribution of z: "normal" is N(0, 1), "uniform" U(-1, 1) as in the paper.
        generator_width: Channels of G's last hidden maps.
        discriminator_width: Channels of D's first maps.
        kernel: Side of all kernels.
        generator_norm: "batch" or null.
        discriminator_norm: "batch"; "layer" over all of a sample, for gradient penalties (Gulrajani et al. 2017,
            arXiv:1704.00028, section 4); "spectral" of the weights (Miyato et al. 2018, arXiv:1802.05957); or null.
        discriminator_output: "logit" is unbounded, "sigmoid" the corresponding probability, for least squares.
        negative_slope: Of D's leaky ReLU.
        condition: How samples of a class are generated, see above; "none" is unconditional.
        init_std: Standard deviation of the initial weights.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        latent_dim: Positive[int] = 100,
        prior: Literal["normal", "uniform"] = "normal",
        generator_width: Positive[int] = 64,
        discriminator_width: Positive[int] = 64,
        kernel: Literal[4, 5] = 4,
        generator_norm: Literal["batch"] | None = "batch",
        discriminator_norm: Literal["batch", "layer", "spectral"] | None = "batch",
        discriminator_output: Literal["logit", "sigmoid"] = "logit",
        negative_slope: NonNegative[float] = 0.2,
        condition: Literal["none", "input", "every_layer", "projection"] = "none",
        init_std: Positive[float] = 0.02,
    ) -> None:
        super().__init__(latent_dim, prior, 0 if condition == "none" else spec.num_classes)
        self.generator = Generator(
            spec,
            latent_dim,
            self.num_classes,
            width=generator_width,
            kernel=kernel,
            norm=generator_norm,
            every_layer=condition == "every_layer",
        )
        self.discriminator = Discriminator(
            spec,
            self.num_classes,
            width=discriminator_width,
            kernel=kernel,
            norm=discriminator_norm,
            output=discriminator_output,
            negative_slope=negative_slope,
            condition=condition,
        )
        self.apply(partial(draw_weights, std=init_std))
        if discriminator_norm == "spectral":
            for layer in [*self.discriminator.layers, self.discriminator.head]:
                nn.utils.parametrizations.spectral_norm(layer)


class Generator(nn.Module):
    """Maps codes `(B, latent_dim + num_classes)` to images `(B, C, H, W)`."""

    def __init__(
        self,
        spec: DataSpec,
        latent_dim: int,
        num_classes: int,
        *,
        width: int,
        kernel: int,
        norm: str | None,
        every_layer: bool,
    ) -> None:
        super().__init__()
        channels, *size = spec.input_shape
        height, start_width, count = doublings(size[0], size[1], "dcgan")
        widths = [width * min(2 ** (count - 1 - i), MOST_CHANNELS) for i in range(count)]
        self.num_classes = num_classes if every_layer else 0
        self.enter = nn.Linear(latent_dim + num_classes, widths[0] * height * start_width, bias=norm is None)
        self.unflatten = nn.Unflatten(1, (widths[0], height, start_width))
        self.norms = nn.ModuleList(NORMS[norm](w) for w in widths)
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(
                before + self.num_classes,
                after,
                kernel,
                stride=2,
                padding=kernel // 2 - (kernel == 4),
                output_padding=kernel - 4,  # For 5×5, where a side would otherwise be one pixel short of double.
                bias=norm is None or after == channels,
            )
            for before, after in zip(widths, [*widths[1:], channels], strict=True)
        )
        self.bounded = Bounded(*spec.input_range) if spec.input_range else nn.Identity()

    def forward(self, codes: Tensor) -> Tensor:
        classes = codes[:, codes.shape[1] - self.num_classes :]  # (B, 0) if the layers get none.
        maps = self.unflatten(self.enter(codes))
        for norm, layer in zip(self.norms, self.layers, strict=True):
            maps = layer(append_classes(torch.relu(norm(maps)), classes))
        return self.bounded(maps)


class Discriminator(nn.Module):
    """Maps images `(B, C, H, W)`, and one-hot classes `(B, num_classes)` if conditional, to numbers `(B,)`."""

    def __init__(
        self,
        spec: DataSpec,
        num_classes: int,
        *,
        width: int,
        kernel: int,
        norm: str | None,
        output: str,
        negative_slope: float,
        condition: str,
    ) -> None:
        super().__init__()
        channels, *size = spec.input_shape
        height, end_width, count = doublings(size[0], size[1], "dcgan")
        widths = [width * min(2**i, MOST_CHANNELS) for i in range(count)]
        at_first = num_classes if condition in ("input", "every_layer") else 0
        later = num_classes if condition == "every_layer" else 0
        self.at_every_layer = bool(later)
        self.at_the_input = bool(at_first)
        self.layers = nn.ModuleList(
            nn.Conv2d(
                before,
                after,
                kernel,
                stride=2,
                padding=kernel // 2 - (kernel == 4),
                bias=i == 0 or norm != "batch",
            )
            for i, (before, after) in enumerate(
                zip([channels + at_first, *(w + later for w in widths)], widths, strict=False)
            )
        )
        self.norms = nn.ModuleList(NORMS[None if i == 0 else norm](w) for i, w in enumerate(widths))
        self.activation = nn.LeakyReLU(negative_slope)
        self.head = nn.Linear((widths[-1] + later) * height * end_width, 1)
        self.embedding = nn.Linear(num_classes, widths[-1], bias=False) if condition == "projection" else None
        self.output = nn.Sigmoid() if output == "sigmoid" else nn.Identity()

    def forward(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        maps = append_classes(images, classes) if self.at_the_input else images
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            maps = append_classes(maps, classes) if i > 0 and self.at_every_layer else maps
            maps = self.activation(norm(layer(maps)))
        scores = self.head((append_classes(maps, classes) if self.at_every_layer else maps).flatten(1))[:, 0]  # (B,)
        if self.embedding is not None:
            scores = scores + (self.embedding(classes) * maps.sum(dim=(2, 3))).sum(dim=1)
        return self.output(scores)


def append_classes(maps: Tensor, classes: Tensor | None) -> Tensor:
    """Maps `(B, C, H, W)` with the classes `(B, K)` as K additional maps, constant over the pixels; K may be 0."""
    if classes is None or classes.shape[1] == 0:
        return maps
    return torch.cat([maps, classes[:, :, None, None].expand(-1, -1, *maps.shape[2:]).to(maps.dtype)], dim=1)


def draw_weights(module: nn.Module, std: float) -> None:
    """Initialize: weights N(0, std²), gains of batch norm N(1, std²), biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, std=std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=std)
