"""CycleGAN: two translators between two domains of images, and a patch discriminator for each domain."""

from typing import Literal

from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register

MOST_LAYERS = 3  # Maximum for layers="auto"; the paper's 70×70 patches.
SLOPE = 0.2  # Of the discriminators' leaky ReLUs.
STD = 0.02  # Of the initial weights.


@register("model", "cyclegan", inputs="image", tasks=("cyclegan",), min_size=16, native_size=32, photo_size=256)
class CycleGan(nn.Module):
    """The networks of Zhu, Park, Isola and Efros (2017, arXiv:1703.10593), section 4 and appendix 7.2.

    The translators are those of Johnson et al. (2016): in the paper's letters c7s1-64, d128, d256, R256 several times,
    u128, u64, c7s1-C, with reflection padding, instance norm without scale and shift, and tanh at the end. A
    discriminator is the PatchGAN C64-C128-C256-C512 of Isola et al. (2017, arXiv:1611.07004): it classifies every
    square of 70×70 pixels separately. Weights are initialized from N(0, 0.02²), biases to 0. No dropout.

    Deviation: images smaller than 70 pixels get discriminators with fewer layers, whose patch fits into them. The
    paper uses 6 blocks for 128×128 and 9 for 256×256 or more; the default here is 9 for all.

    Args:
        width: Filters of a translator's first layer (the paper's 64).
        blocks: Residual blocks in its middle.
        discriminator_width: Filters of a discriminator's first layer.
        layers: Layers with stride 2 in a discriminator. A patch has 16 pixels for one, 34 for two, 70 for three, 142
            for four. "auto" takes three, or as many as give a patch that fits into the images.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Positive[int] = 64,
        blocks: NonNegative[int] = 9,
        discriminator_width: Positive[int] = 64,
        layers: Literal["auto"] | Positive[int] = "auto",
    ) -> None:
        super().__init__()
        self.choices: dict[str, object] = {}
        check_size(spec)
        self.layers = self.choose_layers(layers, spec)
        channels = spec.input_shape[0]
        self.generators = nn.ModuleDict({way: translator(channels, width, blocks) for way in ("A2B", "B2A")})
        self.discriminators = nn.ModuleDict(
            {domain: patch_discriminator(channels, discriminator_width, self.layers) for domain in ("A", "B")}
        )
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, std=STD)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def choose_layers(self, layers: Literal["auto"] | int, spec: DataSpec) -> int:
        """The number of layers, with "auto" resolved. Raises ConfigError for a patch larger than the images."""
        side = min(spec.input_shape[1:])
        most = max(n for n in range(1, 12) if patch_side(n) <= side)
        if layers == "auto":
            self.choices["layers"] = min(most, MOST_LAYERS)
            return min(most, MOST_LAYERS)
        if layers > most:
            patches = ", ".join(f"{n} ({patch_side(n)}×{patch_side(n)})" for n in range(1, most + 1))
            raise ConfigError(
                f"model.layers={layers} classifies patches of {patch_side(layers)}×{patch_side(layers)} pixels, more "
                f"than images of {spec.input_shape[1]}×{spec.input_shape[2]} have; those that fit are {patches}",
                setting("model.layers", most),
            )
        return layers

    def forward(self, images: Tensor) -> Tensor:
        """The scores of B's discriminator for translated images of A, `(B, C, H, W)`: one score per patch.

        The training calls the generators and discriminators separately.
        """
        scores: Tensor = self.discriminators["B"](self.generators["A2B"](images))
        return scores


def check_size(spec: DataSpec) -> None:
    """Raises ConfigError for image sizes that the translators cannot generate."""
    height, width = spec.input_shape[1:]
    if height % 4 or width % 4 or min(height, width) < patch_side(1):
        sides = [max(4 * round(side / 4), patch_side(1)) for side in (height, width)]
        size = sides[0] if sides[0] == sides[1] else sides
        raise ConfigError(
            f"model=cyclegan generates images whose sides are multiples of 4, from {patch_side(1)} pixels on, and the "
            f"data's images have {height}×{width}",
            f"{setting('data.resize', size)}, or for files {setting('data.size', size)}",
        )


def patch_side(layers: int) -> int:
    """Side of the square on which one score of a discriminator with so many layers of stride 2 depends."""
    return 9 * 2**layers - 2


def translator(channels: int, width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *normed(nn.Conv2d(channels, width, 7), width),
        *normed(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), 2 * width),
        *normed(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1), 4 * width),
        *[ResidualBlock(4 * width) for _ in range(blocks)],
        *normed(nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1), 2 * width),
        *normed(nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1), width),
        nn.ReflectionPad2d(3),
        nn.Conv2d(width, channels, 7),
        nn.Tanh(),
    )


def normed(layer: nn.Module, width: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(width), nn.ReLU()]


class ResidualBlock(nn.Module):
    """x plus two 3×3 convolutions of it; no ReLU after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *normed(nn.Conv2d(width, width, 3), width),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.layers(inputs)


def patch_discriminator(channels: int, width: int, layers: int) -> nn.Sequential:
    """Maps images `(B, C, H, W)` to a score per patch, `(B, 1, h, w)`; the first layer has no norm."""
    widths = [width * min(2**n, 8) for n in range(layers + 1)]
    parts: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
    for n in range(1, layers + 1):
        stride = 2 if n < layers else 1
        parts += [
            nn.Conv2d(widths[n - 1], widths[n], 4, stride=stride, padding=1),
            nn.InstanceNorm2d(widths[n]),
            nn.LeakyReLU(SLOPE),
        ]
    return nn.Sequential(*parts, nn.Conv2d(widths[-1], 1, 4, padding=1))
