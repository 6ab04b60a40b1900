"""Residual networks: the form for ImageNet (ResNet), the form for CIFAR (CifarResNet), and their plain counterparts."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.layers.batch_norm import BatchNorm2d
from dltool.layers.initialize import initialize

Shortcut = Literal["A", "B", "C", "none"]

SMALL_SIDE = 64  # Below it, the paper's stem reduces the last stage to a single position.


zero_last_norm_needs_a_sum = requires(
    lambda config: (
        not config.model.zero_last_norm or (config.model.shortcut != "none" and not config.model.preactivation)
    ),
    "model.zero_last_norm needs a sum directly after that norm: with shortcut=none or preactivation a ReLU follows, "
    "whose gradient at zero is zero, so nothing would be learned",
    hint="model.zero_last_norm=false",
)


@register("model", "resnet", inputs="image", min_size=8, native_size=32, photo_size=224, tasks=("supervised",))
@requires(lambda config: len(config.model.blocks) > 0, "model.blocks has no stages", hint="'model.blocks=[2,2,2,2]'")
@zero_last_norm_needs_a_sum
class ResNet(nn.Module):
    """He, Zhang, Ren and Sun, "Deep residual learning" (CVPR 2016, arXiv:1512.03385), section 3.3 and table 1.

    With the imagenet stem and shortcut B, the weights have torchvision's names and shapes, so `init_from=FILE` loads
    torchvision's weights.

    Deviations: a bottleneck downsamples in its 3×3 convolution, not in its first 1×1 one, as in the authors'
    code for Torch and in torchvision; the output layer is initialized like the convolutions (He et al. 2015, eq. 10,
    zero biases); a value that is the only one of its channel in a batch is normalised by the running statistics. The
    small stem is not in the paper.

    Args:
        blocks: Residual blocks in each stage. Each stage after the first halves height and width.
        block: "basic" has two 3×3 convolutions; "bottleneck" has 1×1, 3×3 and 1×1, the last four times as wide.
        stem: "imagenet" is a 7×7 convolution and a max pooling, both of stride 2; "small" a 3×3 convolution of stride
            1. "auto" is small where the images have less than 64 pixels in height or width.
        width: Channels of the 3×3 convolutions in the first stage; each later stage has twice as many.
        shortcut: How a block's input takes the shape of its output if they differ: "A" drops positions and
            appends channels of zeros, "B" is a 1×1 convolution with batch norm, "C" is that in every block. "none" is
            the plain network, without sums: the paper's baseline, which gets worse with depth.
        preactivation: Norm and ReLU before each convolution and none after the sum (He et al. 2016b,
            arXiv:1603.05027, figure 4e). As in its appendix the first block uses the stem's activation, the last sum
            has its own, and a 1×1 convolution of a shortcut gets activated maps and needs no norm.
        zero_last_norm: Initialize the scale of each block's last norm to 0, so that the block is an identity (Goyal
            et al. 2017, arXiv:1706.02677, section 5.1).
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        blocks: list[Positive[int]] = [2, 2, 2, 2],  # noqa: B006 (the YAML's default; never changed)
        block: Literal["basic", "bottleneck"] = "basic",
        stem: Literal["auto", "imagenet", "small"] = "auto",
        width: Positive[int] = 64,
        shortcut: Shortcut = "B",
        preactivation: bool = False,
        zero_last_norm: bool = False,
    ) -> None:
        super().__init__()
        in_channels, *sides = spec.input_shape
        self.choices = {}
        if stem == "auto":
            stem = self.choices["stem"] = "small" if min(sides) < SMALL_SIDE else "imagenet"
        imagenet = stem == "imagenet"
        self.conv1 = convolution(in_channels, width, 7, stride=2) if imagenet else convolution(in_channels, width)
        self.bn1 = BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if imagenet else nn.Identity()
        block_class = BLOCKS[block, preactivation]
        in_channels, self.num_stages = width, len(blocks)
        for stage, num_blocks in enumerate(blocks):
            layers = nn.Sequential()
            for position in range(num_blocks):
                stride = 2 if stage > 0 and position == 0 else 1
                layers.append(block_class(in_channels, width * 2**stage, stride, shortcut))
                in_channels = width * 2**stage * block_class.expansion
            self.add_module(f"layer{stage + 1}", layers)
        if preactivation:
            self.get_submodule("layer1.0").bn1 = nn.Identity()  # The stem's output is activated already.
        self.norm = BatchNorm2d(in_channels) if preactivation else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, spec.output_dim)
        initialize(self, "kaiming_normal")
        if zero_last_norm:
            for module in self.modules():
                if isinstance(module, BasicBlock):
                    nn.init.zeros_(module.bn2.weight)
                elif isinstance(module, Bottleneck):
                    nn.init.zeros_(module.bn3.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)`."""
        maps = self.maxpool(F.relu(self.bn1(self.conv1(images))))  # (B, 64, H / 4, W / 4), or (B, 64, H, W)
        for stage in range(self.num_stages):
            maps = getattr(self, f"layer{stage + 1}")(maps)
        if self.norm is not None:
            maps = F.relu(self.norm(maps))
        return self.fc(self.avgpool(maps).flatten(1))  # (B, 512, 1, 1) -> (B, 512)


@register("model", "cifar_resnet", inputs="image", min_size=8, native_size=32, tasks=("supervised",))
@requires(
    lambda config: config.model.depth >= 8 and config.model.depth % 6 == 2,
    "model.depth must be 6n + 2 for a CIFAR ResNet, with n blocks of two convolutions in each of three stages",
    hint="model.depth=20, or 8, 14, 26, 32, 38, 44, 50, 56, …, 110; else model=resnet18 'model.blocks=[3,3,2]'",
)
@zero_last_norm_needs_a_sum
class CifarResNet(ResNet):
    """The networks of He et al. (2016), section 4.2: a 3×3 convolution, then three stages of n basic blocks each.

    With shortcut A, which has no weights, a residual network and its plain counterpart have the same parameters:
    0.27 million at depth 20, 1.7 million at depth 110.

    Args:
        depth: Number of layers with weights, 6n + 2.
        width: Channels of the first stage; the others have twice and four times as many.
        shortcut: See ResNet, also for the others.
        preactivation: Norm and ReLU before each convolution.
        zero_last_norm: Each block is initially an identity.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        depth: Positive[int] = 20,
        width: Positive[int] = 16,
        shortcut: Shortcut = "A",
        preactivation: bool = False,
        zero_last_norm: bool = False,
    ) -> None:
        super().__init__(
            spec,
            blocks=[(depth - 2) // 6] * 3,
            stem="small",
            width=width,
            shortcut=shortcut,
            preactivation=preactivation,
            zero_last_norm=zero_last_norm,
        )


def convolution(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias, since a norm follows or precedes it, padded so that stride 1 keeps the size."""
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


class Block(nn.Module):
    """A branch of convolutions, and a shortcut around it.

    Args:
        in_channels: Input channels.
        channels: Channels of the 3×3 convolutions; the output has `expansion` times as many.
        stride: 2 halves height and width.
        shortcut: See ResNet.
    """

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        same_shape = stride == 1 and in_channels == out_channels
        self.downsample: nn.Module | None = nn.Identity()
        if shortcut == "none":
            self.downsample = None
        elif shortcut == "C" or (shortcut == "B" and not same_shape):
            self.downsample = self.projection(in_channels, out_channels, stride)
        elif not same_shape:
            self.downsample = PaddedIdentity(stride, out_channels - in_channels)

    def projection(self, in_channels: int, out_channels: int, stride: int) -> nn.Module:
        return nn.Sequential(convolution(in_channels, out_channels, 1, stride), BatchNorm2d(out_channels))

    def sum(self, branch: Tensor, maps: Tensor) -> Tensor:
        """F(x) + x, where x passes through the shortcut (eqs. 1 and 2); in a plain network F(x)."""
        return branch if self.downsample is None else branch + self.downsample(maps)


class BasicBlock(Block):
    """Two 3×3 convolutions (He et al. 2016, figure 5 left)."""

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__(in_channels, channels, stride, shortcut)
        self.conv1 = convolution(in_channels, channels, 3, stride)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3)
        self.bn2 = BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        branch = F.relu(self.bn1(self.conv1(maps)))
        branch = self.bn2(self.conv2(branch))
        return F.relu(self.sum(branch, maps))


class Bottleneck(Block):
    """A 3×3 convolution between two 1×1, of which the second has four times as many channels (figure 5 right)."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__(in_channels, channels, stride, shortcut)
        self.conv1 = convolution(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3, stride)
        self.bn2 = BatchNorm2d(channels)
        self.conv3 = convolution(channels, channels * self.expansion, 1)
        self.bn3 = BatchNorm2d(channels * self.expansion)

    def forward(self, maps: Tensor) -> Tensor:
        branch = F.relu(self.bn1(self.conv1(maps)))
        branch = F.relu(self.bn2(self.conv2(branch)))
        branch = self.bn3(self.conv3(branch))
        return F.relu(self.sum(branch, maps))


class PreactivationBlock(Block):
    """The common part of both forms of He et al. (2016b): convolutional shortcuts get activated maps."""

    def projection(self, in_channels: int, out_channels: int, stride: int) -> nn.Module:
        return convolution(in_channels, out_channels, 1, stride)

    def shortcut_input(self, maps: Tensor, activated: Tensor) -> Tensor:
        return activated if isinstance(self.downsample, nn.Conv2d) else maps


class PreactivationBasicBlock(PreactivationBlock):
    """BasicBlock with each norm and ReLU before its convolution."""

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__(in_channels, channels, stride, shortcut)
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = convolution(in_channels, channels, 3, stride)
        self.bn2 = BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3)

    def forward(self, maps: Tensor) -> Tensor:
        activated = F.relu(self.bn1(maps))
        branch = self.conv1(activated)
        branch = self.conv2(F.relu(self.bn2(branch)))
        return self.sum(branch, self.shortcut_input(maps, activated))


class PreactivationBottleneck(PreactivationBlock):
    """Bottleneck with each norm and ReLU before its convolution."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__(in_channels, channels, stride, shortcut)
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = convolution(in_channels, channels, 1)
        self.bn2 = BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3, stride)
        self.bn3 = BatchNorm2d(channels)
        self.conv3 = convolution(channels, channels * self.expansion, 1)

    def forward(self, maps: Tensor) -> Tensor:
        activated = F.relu(self.bn1(maps))
        branch = self.conv1(activated)
        branch = self.conv2(F.relu(self.bn2(branch)))
        branch = self.conv3(F.relu(self.bn3(branch)))
        return self.sum(branch, self.shortcut_input(maps, activated))


class PaddedIdentity(nn.Module):
    """Shortcut A: every other position, and zeros for the channels that the input lacks. It has no weights."""

    def __init__(self, stride: int, num_zeros: int) -> None:
        super().__init__()
        self.stride, self.num_zeros = stride, num_zeros

    def forward(self, maps: Tensor) -> Tensor:
        maps = maps[:, :, :: self.stride, :: self.stride]
        return F.pad(maps, (0, 0, 0, 0, 0, self.num_zeros))  # (B, C, H, W) -> (B, C + num_zeros, H, W)


BLOCKS: dict[tuple[str, bool], type[Block]] = {
    ("basic", False): BasicBlock,
    ("basic", True): PreactivationBasicBlock,
    ("bottleneck", False): Bottleneck,
    ("bottleneck", True): PreactivationBottleneck,
}
