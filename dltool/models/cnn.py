"""A configurable convolutional network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.shell import in_grammar, setting
from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, NonNegative, Positive, register, requires
from dltool.layers.activation import activation as activation_module
from dltool.layers.batch_norm import BatchNorm2d
from dltool.layers.edge_kernels import EdgeKernels
from dltool.layers.hidden_layers import hidden_layers
from dltool.layers.initialize import initialize
from dltool.layers.locally_connected import LocallyConnected
from dltool.layers.stochastic_pooling import StochasticPool2d
from dltool.layers.window import extent, num_positions

Activation = Literal["sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "identity"]
Connection = Literal["shared", "local", "full"]
Init = Literal["default", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal"]
Padding = Literal["same"] | NonNegative[int]
Pooling = Literal["max", "average", "stochastic"] | None
Shape = tuple[int, int, int]  # Channels, height, width.

POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "stochastic": StochasticPool2d}
LAYER_NAMES = {"shared": "conv", "local": "local", "full": "full"}
MAX_WEIGHTS = 10**9  # Per layer: 4 GB, and three times that in training with Adam.


@register("model", "cnn", inputs="image", tasks=("supervised",))
@requires(
    lambda config: "stochastic" not in (config.model.pooling or []) or config.model.activation in ("relu", "sigmoid"),
    "model.pooling=stochastic samples in proportion to the activations, but model.activation can be negative",
    hint="model.activation=relu",
)
class CNN(nn.Module):
    """INPUT → [[CONV → ACT] × N → POOL?] × M → [FC → ACT] × K → FC, in the notation of Stanford's CS231n.

    M is the number of entries in `channels`: [32, 64] makes two stages, each of which ends with pooling and dropout. A
    single value of a stage's setting holds for all stages, a list has one for each. Batch norm (Ioffe and Szegedy
    2015) is between a weighted sum and its activation.

    With `connection` the same network shows the parts of a convolution, as in LeCun, "Generalization and network design
    strategies" (1989): "full" connects each unit to every input, "local" to a receptive field with its own kernel, and
    in "shared" all receptive fields of a map have the same kernel. The maps have the same sizes in all three.

    Args:
        channels: Output channels of each stage.
        convolutions: Successive convolutions in each stage, N.
        kernel: Side of the receptive field, in pixels.
        stride: Of each stage's first convolution; the others have 1.
        padding: Zeros on each side; "same" adds dilation * (kernel - 1) in total, an odd one on the right and below, so
            that a stride of 1 keeps the size.
        dilation: Pixels between adjacent inputs of a receptive field.
        connection: How a convolution's units are connected to its input.
        edges: A first layer of fixed kernels that detect horizontal and vertical edges, two maps per channel.
        pooling: The pooling at the end of a stage, null for none; "stochastic" is dltool.layers.stochastic_pooling.
        pool_size: Side of the pooling's window, in pixels.
        pool_stride: Pixels from one window to the next; null is pool_size; smaller values make them overlap.
        stage_dropout: Share of a stage's outputs set to zero in training.
        hidden: Width of each fully connected hidden layer.
        dropout: Share of the hidden activations set to zero in training.
        norm: "batch" or null, for every convolution and hidden layer.
        activation: After every convolution and hidden layer.
        init: See dltool.layers.initialize.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        channels: list[Positive[int]] = [32, 64],  # noqa: B006 (the YAML's default; never changed)
        convolutions: Positive[int] | list[Positive[int]] = 1,
        kernel: Positive[int] | list[Positive[int]] = 3,
        stride: Positive[int] | list[Positive[int]] = 1,
        padding: Padding | list[Padding] = "same",
        dilation: Positive[int] | list[Positive[int]] = 1,
        connection: Connection | list[Connection] = "shared",
        edges: Literal["sobel", "prewitt"] | None = None,
        pooling: Pooling | list[Pooling] = "max",
        pool_size: Positive[int] | list[Positive[int]] = 2,
        pool_stride: Positive[int] | list[Positive[int] | None] | None = None,
        stage_dropout: Fraction[float] | list[Fraction[float]] = 0.0,
        hidden: list[Positive[int]] = [128],  # noqa: B006
        dropout: Fraction[float] = 0.0,
        norm: Literal["batch"] | None = None,
        activation: Activation = "relu",
        init: Init = "default",
    ) -> None:
        super().__init__()
        stages = stages_of(
            channels,
            convolutions=convolutions,
            kernel=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            connection=connection,
            pooling=pooling,
            pool_size=pool_size,
            pool_stride=pool_stride,
            stage_dropout=stage_dropout,
        )
        num_maps, height, width = spec.input_shape
        self.features = nn.Sequential()
        if edges is not None:
            kernels = EdgeKernels(edges, num_maps)
            self.features.add_module("edges", kernels)
            num_maps = kernels.out_channels
        shape = (num_maps, height, width)
        for number, stage in enumerate(stages, start=1):
            builder = StageBuilder(f"stage{number}", stage, shape, batch_norm=norm == "batch", activation=activation)
            self.features.add_module(builder.name, builder.build())
            shape = builder.shape
        widths = [shape[0] * shape[1] * shape[2], *hidden]
        self.classifier = nn.Sequential(
            *hidden_layers(widths, activation, norm=norm, dropout=dropout),
            nn.Linear(widths[-1], spec.output_dim),
        )
        initialize(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)`."""
        return self.classifier(self.features(images).flatten(1))  # (B, C, H, W) -> (B, C * H * W)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The settings of one stage; see CNN."""

    channels: int
    convolutions: int
    kernel: int
    stride: int
    padding: int | Literal["same"]
    dilation: int
    connection: Connection
    pooling: Pooling
    pool_size: int
    pool_stride: int | None
    stage_dropout: float

    @property
    def margins(self) -> tuple[int, int]:
        """Zeros before and after the map, in each direction."""
        if self.padding != "same":
            return self.padding, self.padding
        total = extent(self.kernel, self.dilation) - 1
        return total // 2, total - total // 2


def stages_of(channels: Sequence[int], **settings: Any) -> list[Stage]:
    """One Stage for each number of channels.

    Raises:
        ConfigError: If a list of settings is shorter or longer than the channels.
    """
    for key, value in settings.items():
        if isinstance(value, list) and len(value) != len(channels):
            example = [(value or [1])[min(i, len(value) - 1)] for i in range(len(channels))]
            raise ConfigError(
                f"model.{key}={in_grammar(value)} has {counted(len(value), 'value')}, but "
                f"model.channels={in_grammar(channels)} makes {counted(len(channels), 'stage')}",
                f"one value for all stages, or one for each, such as {setting(f'model.{key}', example)}",
            )
    return [
        Stage(channels=width, **{key: v[i] if isinstance(v, list) else v for key, v in settings.items()})
        for i, width in enumerate(channels)
    ]


class StageBuilder:
    """Builds [CONV → ACT] × N → POOL?, and tracks the shape of the maps.

    Attributes:
        shape: Output shape of the layers so far.
    """

    def __init__(self, name: str, stage: Stage, shape: Shape, *, batch_norm: bool, activation: str) -> None:
        self.name, self.stage, self.shape = name, stage, shape
        self.batch_norm, self.activation = batch_norm, activation

    def build(self) -> nn.Sequential:
        """The stage, with layers named conv1, norm1, act1, …, pool, dropout.

        Raises:
            ConfigError: If a window is larger than its input, or a layer needs more memory than a machine has.
        """
        layers = nn.Sequential()
        for number in range(1, self.stage.convolutions + 1):
            self.add_convolution(layers, number)
            if self.batch_norm:
                layers.add_module(f"norm{number}", BatchNorm2d(self.stage.channels))
            layers.add_module(f"act{number}", activation_module(self.activation))
        if self.stage.pooling is not None:
            layers.add_module("pool", self.pool(POOLINGS[self.stage.pooling]))
        if self.stage.stage_dropout > 0:
            layers.add_module("dropout", nn.Dropout(self.stage.stage_dropout))
        return layers

    def add_convolution(self, layers: nn.Sequential, number: int) -> None:
        """Add a convolution, or its replacement, after the padding that it does not support itself."""
        stage, (channels, height, width) = self.stage, self.shape
        before, after = stage.margins
        stride = stage.stride if number == 1 else 1
        sides = [
            num_positions(n, stage.kernel, stride=stride, padding=before + after, dilation=stage.dilation)
            for n in (height, width)
        ]
        name = f"{LAYER_NAMES[stage.connection]}{number}"
        if not all(sides):
            raise self.too_large(name, before + after)
        new = (stage.channels, sides[0], sides[1])
        self.check_size(name, new)
        bias = not self.batch_norm  # Batch norm would subtract it again.
        if stage.connection == "full":
            layers.add_module(name, fully_connected(self.shape, new, bias=bias))
        else:
            if before != after:
                layers.add_module(f"pad{number}", nn.ZeroPad2d((before, after, before, after)))
                height, width, before = height + before + after, width + before + after, 0
            options: dict[str, Any] = {"stride": stride, "padding": before, "dilation": stage.dilation, "bias": bias}
            if stage.connection == "local":
                layer: nn.Module = LocallyConnected(channels, new[0], (height, width), stage.kernel, **options)
            else:
                layer = nn.Conv2d(channels, new[0], stage.kernel, **options)
            layers.add_module(name, layer)
        self.shape = new

    def pool(self, kind: type[nn.Module]) -> nn.Module:
        stage, (channels, height, width) = self.stage, self.shape
        stride = stage.pool_stride or stage.pool_size
        sides = [num_positions(n, stage.pool_size, stride=stride) for n in (height, width)]
        if not all(sides):
            raise ConfigError(
                f"{self.name}.pool: its window of {stage.pool_size}×{stage.pool_size} is larger than its input maps, "
                f"{height}×{width}",
                "model.pooling=null, or a list with null for this stage; or fewer model.channels",
            )
        self.shape = (channels, sides[0], sides[1])
        return kind(stage.pool_size, stride)

    def too_large(self, name: str, padding: int) -> ConfigError:
        kernel, dilation = self.stage.kernel, self.stage.dilation
        spread = f" with model.dilation={dilation}, {extent(kernel, dilation)}×{extent(kernel, dilation)} in total,"
        height, width = self.shape[1] + padding, self.shape[2] + padding
        return ConfigError(
            f"{self.name}.{name}: its kernel of {kernel}×{kernel}{spread if dilation > 1 else ''} is larger than its "
            f"padded input, {height}×{width}",
            "model.padding=same, or a smaller model.kernel",
        )

    def check_size(self, name: str, new: Shape) -> None:
        """Limit the number of weights: two of the connections have one per unit, of which large images have many."""
        inputs = {"full": self.shape[0] * self.shape[1] * self.shape[2], "local": self.shape[0] * self.stage.kernel**2}
        count = new[0] * new[1] * new[2] * inputs.get(self.stage.connection, 0)
        if count > MAX_WEIGHTS:
            raise ConfigError(
                f"{self.name}.{name}: {count:,} weights connect maps of {'×'.join(map(str, self.shape))} to maps of "
                f"{'×'.join(map(str, new))}",
                "smaller images, such as data.resize=28, fewer model.channels, or model.connection=shared",
            )


def fully_connected(old: Shape, new: Shape, *, bias: bool) -> nn.Sequential:
    """Connects every unit of the new maps to every one of the old."""
    linear = nn.Linear(old[0] * old[1] * old[2], new[0] * new[1] * new[2], bias=bias)
    return nn.Sequential(nn.Flatten(), linear, nn.Unflatten(1, new))
