"""AlexNet: the network of 2012 (AlexNet), torchvision's single-stream one, and one for images of 32×32."""

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, register
from dltool.layers.window import num_positions

Layer = Literal["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"]
Layer2012 = Literal[
    "conv1", "norm1", "pool1", "conv2", "norm2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7"
]
LayerSmall = Literal["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]

HIDDEN = 4096  # Width of fc6 and fc7.
POOLED = 6  # Side of the input maps of fc6, for images of 227×227 or 224×224.


@register("model", "alexnet", inputs="image", min_size=227, native_size=227, tasks=("supervised",))
class AlexNet(nn.Module):
    """AlexNet as in Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep CNNs" (NIPS 2012), section 3.

    60,965,224 parameters for 1000 classes ("60 million"). Its two GPUs are two groups of maps in conv2, conv4 and
    conv5, each of which sees only its own half of the input maps. Weights are initialized from N(0, 0.01²), the biases
    of those three and of the hidden fc6 and fc7 to 1, all others to 0 (section 5).

    Deviations: the paper gives images of 224×224, but its 55×55 maps after conv1 are those of 227×227, and it states no
    padding; its printed sizes leave only this one (and 290,400 units in conv1, where it counts 253,440). The
    response normalisation sums over neighbours in both groups. Dropout scales the kept activations in training instead
    of halving in evaluation. The paper trains on random crops with shifted colours and averages ten views of a test
    image; here, data augmentation and `--tta` do that.

    Args:
        without: Layers to omit, convolutions or fully connected ones with their activation and dropout; the next
            layers adapt to the remaining input. Section 7 ("removing any of the middle layers results in a loss of
            about 2%") and Zeiler and Fergus 2014 (arXiv:1311.2901, table 3) measure the effect of each.
        dropout: Share of the activations of fc6 and fc7 set to zero in training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        without: list[Layer2012] = [],  # noqa: B006 (the YAML's default; never changed)
        dropout: Fraction[float] = 0.5,
    ) -> None:
        super().__init__()
        maps = Maps(spec.input_shape, without)
        maps.convolve("conv1", 96, 11, stride=4)  # (B, 96, 55, 55)
        maps.normalize("norm1")
        maps.pool("pool1", 3, 2)  # (B, 96, 27, 27)
        maps.convolve("conv2", 256, 5, padding=2, groups=2)
        maps.normalize("norm2")
        maps.pool("pool2", 3, 2)  # (B, 256, 13, 13)
        maps.convolve("conv3", 384, 3, padding=1)
        maps.convolve("conv4", 384, 3, padding=1, groups=2)
        maps.convolve("conv5", 256, 3, padding=1, groups=2)
        maps.pool("pool5", 3, 2)  # (B, 256, 6, 6)
        self.features = maps.layers
        self.classifier = nn.Sequential()
        width = maps.num_values
        for number in (6, 7):
            if f"fc{number}" not in without:
                self.classifier.add_module(f"fc{number}", nn.Linear(width, HIDDEN))
                self.classifier.add_module(f"relu{number}", nn.ReLU())
                self.classifier.add_module(f"drop{number}", nn.Dropout(dropout))
                width = HIDDEN
        self.classifier.add_module("fc8", nn.Linear(width, spec.output_dim))
        self.initialize()

    def initialize(self) -> None:
        """Section 5: biases of one where a ReLU should start with positive inputs."""
        for name, layer in [*self.features.named_children(), *self.classifier.named_children()]:
            if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.bias is not None:
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.constant_(layer.bias, 1.0 if name in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0.0)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 227×227."""
        return self.classifier(self.features(images).flatten(1))  # (B, 256, 6, 6) -> (B, 9216)


@register("model", "alexnet_torchvision", inputs="image", min_size=63, native_size=224, tasks=("supervised",))
class AlexNetTorchvision(nn.Module):
    """torchvision's AlexNet, with the same parameter names as its weights: `init_from=FILE`.

    The single stream of Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014,
    arXiv:1404.5997): no groups, no response normalisation, fewer channels; dropout before fc6 and fc7 instead of after.
    61,100,840 parameters for 1000 classes. The maps are averaged to 6×6, so images of any size from 63×63 work.

    Args:
        without: Layers to omit, as in AlexNet; the names of the others' parameters are unchanged.
        dropout: Share of the inputs of fc6 and fc7 set to zero in training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        without: list[Layer] = [],  # noqa: B006
        dropout: Fraction[float] = 0.5,
    ) -> None:
        super().__init__()
        maps = Maps(spec.input_shape, without, numbered=True)
        maps.convolve("conv1", 64, 11, stride=4, padding=2)
        maps.pool("pool1", 3, 2)
        maps.convolve("conv2", 192, 5, padding=2)
        maps.pool("pool2", 3, 2)
        maps.convolve("conv3", 384, 3, padding=1)
        maps.convolve("conv4", 256, 3, padding=1)
        maps.convolve("conv5", 256, 3, padding=1)
        maps.pool("pool5", 3, 2)
        self.features = maps.layers
        self.avgpool = nn.AdaptiveAvgPool2d(POOLED)
        self.classifier = nn.Sequential()
        width = maps.num_maps * POOLED**2
        for name, number in (("fc6", 0), ("fc7", 3)):
            if name not in without:
                self.classifier.add_module(f"{number}", nn.Dropout(dropout))
                self.classifier.add_module(f"{number + 1}", nn.Linear(width, HIDDEN))
                self.classifier.add_module(f"{number + 2}", nn.ReLU())
                width = HIDDEN
        self.classifier.add_module("6", nn.Linear(width, spec.output_dim))

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 63×63."""
        return self.classifier(self.avgpool(self.features(images)).flatten(1))  # (B, 256, 6, 6) -> (B, 9216)


@register("model", "alexnet_small", inputs="image", min_size=32, native_size=32, tasks=("supervised",))
class AlexNetSmall(nn.Module):
    """AlexNet for images of 32×32, as in W. Yang's pytorch-classification, which reports 22.78 % error on CIFAR-10.

    torchvision's five convolutions with other padding, 2×2 pooling without overlap, and the output layer directly after
    it, with no hidden fully connected layer and no dropout: 2,472,266 parameters for ten classes. Without norms it
    needs a small learning rate: the report's SGD starts at 0.01.

    Args:
        without: Layers to omit, as in AlexNet.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        without: list[LayerSmall] = [],  # noqa: B006
    ) -> None:
        super().__init__()
        maps = Maps(spec.input_shape, without)
        maps.convolve("conv1", 64, 11, stride=4, padding=5)  # (B, 64, 8, 8)
        maps.pool("pool1", 2, 2)
        maps.convolve("conv2", 192, 5, padding=2)  # (B, 192, 4, 4)
        maps.pool("pool2", 2, 2)
        maps.convolve("conv3", 384, 3, padding=1)  # (B, 384, 2, 2)
        maps.convolve("conv4", 256, 3, padding=1)
        maps.convolve("conv5", 256, 3, padding=1)
        maps.pool("pool5", 2, 2)  # (B, 256, 1, 1)
        self.features = maps.layers
        self.classifier = nn.Linear(maps.num_values, spec.output_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 32×32."""
        return self.classifier(self.features(images).flatten(1))  # (B, 256, 1, 1) -> (B, 256)


class Maps:
    """Builder of the convolutional part: its layers so far, and the shape of their output.

    Attributes:
        layers: In order, by name: conv1, relu1, norm1, pool1, …
        num_maps, sides: Channels and sizes of the last layer's output.

    Args:
        input_shape: (C, H, W) of an image.
        without: Names of layers to omit.
        numbered: Name the layers 0, 1, 2, … as torchvision does; an omitted one leaves a gap.
    """

    def __init__(self, input_shape: Sequence[int], without: Sequence[str], *, numbered: bool = False) -> None:
        self.layers = nn.Sequential()
        self.num_maps, self.sides = input_shape[0], tuple(input_shape[1:])
        self.without, self.numbered = without, numbered
        self.position = 0

    @property
    def num_values(self) -> int:
        return self.num_maps * math.prod(self.sides)

    def convolve(
        self, name: str, num_maps: int, kernel: int, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> None:
        """A convolution and its ReLU. If conv1 is omitted, the image may have too few channels for two groups."""
        groups = math.gcd(groups, self.num_maps)
        convolution = nn.Conv2d(self.num_maps, num_maps, kernel, stride, padding, groups=groups)
        if self.add(name, convolution, kernel, stride, padding):
            self.num_maps = num_maps
        self.add(name, nn.ReLU(), key=name.replace("conv", "relu"))

    def pool(self, name: str, kernel: int, stride: int) -> None:
        """Maximum over each window; with a stride smaller than the kernel the windows overlap (section 3.4)."""
        self.add(name, nn.MaxPool2d(kernel, stride), kernel, stride)

    def normalize(self, name: str) -> None:
        """Local response normalisation (section 3.3): a_i / (k + α Σ_j a_j²)^β over the n = 5 maps j nearest to i.

        torch divides its alpha by n, so it is n times the paper's here.
        """
        self.add(name, nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0))

    def add(
        self, name: str, layer: nn.Module, kernel: int = 1, stride: int = 1, padding: int = 0, key: str | None = None
    ) -> bool:
        """Append a layer under its name, or under `key`, unless its name is in `without`."""
        position, self.position = self.position, self.position + 1
        if name in self.without:
            return False
        self.layers.add_module(str(position) if self.numbered else key or name, layer)
        self.sides = tuple(num_positions(n, kernel, stride=stride, padding=2 * padding) for n in self.sides)
        return True
