"""Rosenblatt's perceptron: one unit with a step function."""

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import register


@register("model", "perceptron", inputs="vector", tasks=("rosenblatt",))
class Perceptron(nn.Module):
    """A single threshold unit, 1 where wx + b > 0 and else 0 (Rosenblatt 1958, doi:10.1037/h0042519).

    The step has no useful gradient; dltool.tasks.rosenblatt learns w and b by the perceptron rule. They
    start at zero, as the convergence theorem assumes. Deviation: this is only the response unit of Rosenblatt's
    machine; there are no random association units before it.

    Args:
        bias: Whether b, a learned threshold, is present.
    """

    def __init__(self, spec: DataSpec, *, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(spec.input_dim, 1, bias=bias)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs in {0, 1}, `(B, 1)`, for inputs `(B, D)`."""
        return (self.preactivation(inputs) > 0).to(inputs.dtype)

    def preactivation(self, inputs: Tensor) -> Tensor:
        """wx + b, `(B, 1)`, for inputs `(B, D)`."""
        return self.linear(inputs)
