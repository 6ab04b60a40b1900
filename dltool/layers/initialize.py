"""Initial weights by their names in the YAML."""

from collections.abc import Callable

from torch import Tensor, nn

from dltool.layers.locally_connected import LocallyConnected

# How each scheme initializes the weight of a linear map or convolution with n_in inputs and n_out outputs.
SCHEMES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "xavier_uniform": lambda weight, std: nn.init.xavier_uniform_(weight),
    "xavier_normal": lambda weight, std: nn.init.xavier_normal_(weight),
    "kaiming_uniform": lambda weight, std: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "kaiming_normal": lambda weight, std: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "orthogonal": lambda weight, std: nn.init.orthogonal_(weight),
    "normal": lambda weight, std: nn.init.normal_(weight, std=std),
    "zeros": lambda weight, std: nn.init.zeros_(weight),
}


def initialize(module: nn.Module, scheme: str, std: float = 0.01) -> None:
    """Set the weights of every linear map, convolution and locally connected layer in `module`; biases become zero.

    Args:
        module: Changed in place; its norms keep weight 1 and bias 0.
        scheme: "default" keeps torch's initialization: weights and biases U(±1/√n_in).
            "xavier_uniform" and "xavier_normal" have variance 2 / (n_in + n_out) (Glorot and Bengio 2010,
            eqs. 12 and 16), "kaiming_uniform" and "kaiming_normal" 2 / n_in (He et al. 2015, eq. 10, for
            ReLU). "orthogonal" has orthonormal rows or columns (Saxe et al. 2014), "normal" is N(0, std²).
            "zeros" shows why it fails: all units of a layer compute the same and get the same gradient.
        std: Standard deviation of "normal".
    """
    if scheme == "default":
        return
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, LocallyConnected)):
            kernels = layer.weight.detach().unbind() if isinstance(layer, LocallyConnected) else [layer.weight]
            for kernel in kernels:
                SCHEMES[scheme](kernel, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
