"""LeNet-5: in its modern form (LeNet), and as published by LeCun et al. (1998) (LeNet5)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register, requires
from dltool.layers.activation import ScaledTanh
from dltool.layers.activation import activation as activation_module
from dltool.layers.initialize import initialize

Activation = Literal["sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]
Init = Literal["default", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal"]

KERNEL = 5


def pooled_size(height: int, width: int) -> int:
    """Positions in a map after two 5×5 convolutions, each followed by a 2×2 pooling; 25 for 32×32."""
    sides = [((side - KERNEL + 1) // 2 - KERNEL + 1) // 2 for side in (height, width)]
    return sides[0] * sides[1]


@register("model", "lenet", inputs="image", min_size=32, native_size=32, tasks=("supervised",))
class LeNet(nn.Module):
    """LeNet-5 in its modern form: ReLU, max pooling, fully connected layers, a linear output layer.

    The layout and widths are those of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
    document recognition" (Proc. IEEE 86(11), 1998), section II.B; 61,706 parameters on 32×32 grey images and
    ten classes. Deviations are the four named above and torch's initialisation; LeNet5 has none of them.

    Args:
        filters: Channels of the two 5×5 convolutions.
        hidden: Widths of the two fully connected layers.
        activation: After each convolution and each hidden layer.
        pooling: Over 2×2 windows, "max" or "average".
        dropout: Share of the hidden activations set to zero in training; the paper has none.
        init: See dltool.layers.initialize.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        filters: tuple[Positive[int], Positive[int]] = (6, 16),
        hidden: tuple[Positive[int], Positive[int]] = (120, 84),
        activation: Activation = "relu",
        pooling: Literal["max", "average"] = "max",
        dropout: Fraction[float] = 0.0,
        init: Init = "default",
    ) -> None:
        super().__init__()
        channels, height, width = spec.input_shape
        pool = nn.MaxPool2d if pooling == "max" else nn.AvgPool2d
        self.features = nn.Sequential(
            nn.Conv2d(channels, filters[0], KERNEL),
            activation_module(activation),
            pool(2),
            nn.Conv2d(filters[0], filters[1], KERNEL),
            activation_module(activation),
            pool(2),
        )
        drop = [nn.Dropout(dropout)] if dropout > 0 else []
        self.classifier = nn.Sequential(
            nn.Linear(filters[1] * pooled_size(height, width), hidden[0]),
            activation_module(activation),
            *drop,
            nn.Linear(hidden[0], hidden[1]),
            activation_module(activation),
            *drop,
            nn.Linear(hidden[1], spec.output_dim),
        )
        initialize(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 32×32."""
        return self.classifier(self.features(images).flatten(1))  # (B, 16, 5, 5) -> (B, 400)


@register("model", "lenet5_1998", inputs="image", min_size=32, native_size=32, tasks=("supervised",))
@requires(
    lambda config: config.model.output == "linear" or config.loss.head == "classes",
    "model.output=rbf has one unit per class and needs a loss over classes",
    hint="model.output=linear",
)
class LeNet5(nn.Module):
    """LeNet-5 as in LeCun et al. (1998), section II.B: 60,000 trainable parameters on 32×32 grey images.

    Every unit up to F6 applies 1.7159 tanh(2x/3) to its weighted sum (eqs. 5 and 6). Weights and biases are
    initialized from U(±2.4 / fan-in) (appendix A). The outputs are the RBF units of eq. 7, the squared distances
    of F6 to a fixed code of ±1 for each class, with the sign changed, so that the largest wins and cross-entropy and
    accuracy apply as to any logits. loss=rbf_map is the paper's criterion.

    Deviations: the digits' 7×12 codes were drawn for dltool, since the paper's figure 3 is an image; other classes
    have random codes, which the paper mentions as an alternative. C5 is fully connected, which on 32×32 is
    the same as its 5×5 convolution; larger images widen it. More than one channel widens C1. The paper
    trains by a stochastic diagonal Levenberg-Marquardt method (appendix C), not by the optimizers here, on inputs
    scaled to -0.1 (white) and 1.175 (black), where dltool standardises.

    Args:
        output: "rbf" as in the paper, or "linear" for trainable weighted sums.
    """

    def __init__(self, spec: DataSpec, *, output: Literal["rbf", "linear"] = "rbf") -> None:
        super().__init__()
        channels, height, width = spec.input_shape
        self.c1 = nn.Conv2d(channels, 6, KERNEL)
        self.s2 = Subsampling(6)
        self.c3 = TableConvolution(C3_TABLE)
        self.s4 = Subsampling(16)
        self.c5 = nn.Linear(16 * pooled_size(height, width), 120)
        self.f6 = nn.Linear(120, CODE_WIDTH * CODE_HEIGHT)
        self.squash = ScaledTanh()
        self.output = RbfUnits(class_codes(spec)) if output == "rbf" else nn.Linear(84, spec.output_dim)
        for layer in (self.c1, self.c5, self.f6, self.output):
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                bound = 2.4 / layer.weight[0].numel()
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, -bound, bound)

    def forward(self, images: Tensor) -> Tensor:
        """Negative squared distances (or weighted sums) `(B, output_dim)` for images `(B, C, H, W)`."""
        maps = self.squash(self.c1(images))  # (B, 6, 28, 28)
        maps = self.squash(self.s2(maps))  # (B, 6, 14, 14)
        maps = self.squash(self.c3(maps))  # (B, 16, 10, 10)
        maps = self.squash(self.s4(maps))  # (B, 16, 5, 5)
        units = self.squash(self.c5(maps.flatten(1)))  # (B, 120)
        return self.output(self.squash(self.f6(units)))  # (B, 84) -> (B, output_dim)


class Subsampling(nn.Module):
    """S2 and S4: the sum over 2×2 windows, times a trainable coefficient, plus a trainable bias, one pair per map."""

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        bound = 2.4 / 4
        self.coefficient = nn.Parameter(torch.empty(num_maps).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_maps).uniform_(-bound, bound))

    def forward(self, maps: Tensor) -> Tensor:
        sums = 4 * F.avg_pool2d(maps, 2)  # Bitwise equal to divisor_override=1, which ONNX export does not support.
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


# Table I: the maps of S2 that each map of C3 sees.
C3_TABLE = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


class TableConvolution(nn.Module):
    """C3: a 5×5 convolution in which each output map depends on some of the input maps.

    It has a kernel for each of the table's 60 connections, 1,516 parameters with the 16 biases, and embeds them
    among zeros in one dense convolution, which is faster than 16 small ones.
    """

    connections: Tensor

    def __init__(self, table: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.num_inputs, self.num_outputs = 1 + max(max(row) for row in table), len(table)
        pairs = [self.num_inputs * output + source for output, row in enumerate(table) for source in row]
        self.register_buffer("connections", torch.tensor(pairs), persistent=False)
        bounds = [2.4 / (KERNEL * KERNEL * len(row)) for row in table]
        of_pairs = torch.tensor([bound for bound, row in zip(bounds, table, strict=True) for _ in row])
        self.weight = nn.Parameter(torch.empty(len(pairs), KERNEL, KERNEL).uniform_(-1, 1) * of_pairs[:, None, None])
        self.bias = nn.Parameter(torch.empty(len(table)).uniform_(-1, 1) * torch.tensor(bounds))

    def forward(self, maps: Tensor) -> Tensor:
        kernels = self.weight.new_zeros(self.num_outputs * self.num_inputs, KERNEL, KERNEL)
        kernels = kernels.index_copy(0, self.connections, self.weight)
        return F.conv2d(maps, kernels.unflatten(0, (self.num_outputs, self.num_inputs)), self.bias)


class RbfUnits(nn.Module):
    """The output layer, eq. 7 with the sign changed: minus the squared distance to each class's fixed code."""

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, units: Tensor) -> Tensor:
        return -(units[:, None, :] - self.codes).square().sum(dim=2)  # (B, K, 84) -> (B, K)


CODE_WIDTH, CODE_HEIGHT = 7, 12

# 0 to 9 in columns of 7×12; # is +1 and . is -1. Similar digits have similar codes, as in figure 3.
DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
.#...#. ..##... #.....# #.....# ...#.#. #...... .#..... ......# #.....# #.....#
#.....# .#.#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# ......# .#...#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. ..####. #....#. ######. ######. ....#.. .#####. #.....#
#.....# ...#... ...##.. ......# ####### ......# #.....# ....#.. #.....# .######
#.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
.#...#. ...#... #...... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
..###.. .#####. ####### .#####. .....#. .#####. .#####. ..#.... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def class_codes(spec: DataSpec) -> Tensor:
    """The code of each class, ±1, `(K, 84)`: bitmaps of the digits, else random codes that are equal in every run."""
    if spec.class_names == tuple("0123456789"):
        rows = [line.split() for line in DIGITS.split("\n") if line]
        bitmaps = ["".join(row[digit] for row in rows) for digit in range(10)]
        return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in bitmap] for bitmap in bitmaps])
    size = (spec.num_classes, CODE_WIDTH * CODE_HEIGHT)
    return torch.randint(2, size, generator=generator(0, "lenet5 codes")) * 2.0 - 1.0
