"""The multilayer perceptron."""

from typing import Literal

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, NonNegative, Positive, register, requires
from dltool.layers.activation import activation as activation_module
from dltool.layers.hidden_layers import hidden_layers
from dltool.layers.initialize import initialize

Activation = Literal["sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "identity"]
OutputActivation = Literal[
    "sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "identity", "softmax"
]
Init = Literal[
    "default",
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "orthogonal",
    "normal",
    "zeros",
]


@register("model", "mlp", inputs="any", tasks=("supervised",))
@requires(
    lambda config: (
        config.model.output_activation not in ("sigmoid", "softmax")
        or config.loss.name not in ("cross_entropy", "binary_cross_entropy", "hinge")
    ),
    "model.output_activation squashes the outputs, but the loss takes logits and applies its own sigmoid or softmax",
    hint="model.output_activation=null (or loss=mse)",
)
@requires(
    lambda config: config.model.depth is None or len(config.model.hidden) == 1,
    "model.depth={model.depth} repeats one width, and model.hidden={model.hidden} is not one width",
    hint="'model.hidden=[64]', or model.depth=null",
)
class MLP(nn.Module):
    """Fully connected layers on the flattened input (Rumelhart, Hinton and Williams 1986).

    Each hidden layer is a linear map, followed by the optional norm, activation and dropout.

    Args:
        hidden: Width of each hidden layer; an empty list gives the linear model.
        depth: Number of hidden layers of the one width in `hidden`: hidden=[64] depth=20 is 20 layers of 64; null takes
            `hidden` as it is.
        activation: After each hidden layer; "identity" shows that depth alone adds nothing.
        output_activation: After the last layer; null where the loss takes logits.
        dropout: Share of the hidden activations set to zero in training (Srivastava et al. 2014).
        norm: "batch" (Ioffe and Szegedy 2015), "layer" (Ba et al. 2016) or null.
        init: See dltool.layers.initialize.
        init_std: Standard deviation of init=normal.
        bias: Whether the linear maps have a bias (before batch norm they never do).
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        hidden: list[Positive[int]] = [128],  # noqa: B006 (the YAML's default; never changed)
        depth: NonNegative[int] | None = None,
        activation: Activation = "relu",
        output_activation: OutputActivation | None = None,
        dropout: Fraction[float] = 0.0,
        norm: Literal["batch", "layer"] | None = None,
        init: Init = "default",
        init_std: Positive[float] = 0.01,
        bias: bool = True,
    ) -> None:
        super().__init__()
        widths = [spec.input_dim, *(hidden if depth is None else hidden * depth)]
        self.layers = nn.Sequential(
            *hidden_layers(widths, activation, norm=norm, dropout=dropout, bias=bias),
            nn.Linear(widths[-1], spec.output_dim, bias=bias),
        )
        if output_activation is not None:
            self.layers.append(activation_module(output_activation))
        initialize(self, init, init_std)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for inputs `(B, …)`."""
        return self.layers(inputs.flatten(1))  # (B, C, H, W) -> (B, C * H * W)
