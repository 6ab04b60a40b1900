"""The linear model: one weighted sum per output."""

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import register


@register("model", "linear", inputs="any", tasks=("supervised", "least_squares"))
class Linear(nn.Module):
    """y = Wx + b on the flattened input.

    With loss=mse it is linear regression (for classes: on their one-hot codes), which task=least_squares solves in
    closed form; with loss=hinge it is a linear support vector machine. The weights start at zero: the objective is
    convex, so the start only affects the path, and two runs differ only by their batches.

    Args:
        bias: Whether b is present.
    """

    def __init__(self, spec: DataSpec, *, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(spec.input_dim, spec.output_dim, bias=bias)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, inputs: Tensor) -> Tensor:
        """Weighted sums `(B, output_dim)` for inputs `(B, …)`."""
        return self.linear(inputs.flatten(1))  # (B, C, H, W) -> (B, C * H * W)
