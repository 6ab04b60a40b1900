"""Logistic regression, and softmax regression for more than two classes."""

from dltool.core.spec import DataSpec
from dltool.declarations.component import register, requires
from dltool.models.linear import Linear


@register("model", "logistic", inputs="any", tasks=("supervised",))
@requires(
    lambda config: config.data.targets in ("classes", "binary", "labels", "auto"),
    "model=logistic predicts classes, but the data's targets are numbers",
    hint="model=linear",
)
class Logistic(Linear):
    """p(y = 1 | x) = sigmoid(wx + b); with more classes p(y = k | x) = softmax(Wx + b)_k (Cox 1958, 1966). If
    samples have several labels, each has its own sigmoid.

    forward() returns the logits Wx + b: one for binary cross-entropy, else one per class or label. The sigmoid or
    softmax is in the loss, where log and exp cancel and nothing overflows. The weights start at zero, as in Linear,
    that is at equal probabilities.

    Args:
        bias: Whether b, the log odds at x = 0, is present.
    """

    def __init__(self, spec: DataSpec, *, bias: bool = True) -> None:
        super().__init__(spec, bias=bias)
