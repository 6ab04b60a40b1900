"""A model of your own; `dltool train --trust models.py model=mine` trains it."""

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register


@register("model", "mine", inputs="any", tasks=("supervised",))
class Mine(nn.Module):
    """Linear layers with a shortcut around each: a small residual network (He et al. 2016, arXiv:1512.03385).

    dltool reads the signature below, without running it, and checks every config against it. The arguments before the
    `*` come from the data; those after it are the keys of the config, `model.width=128` on the command line. Their
    types define the allowed values: Positive[int], Fraction[float], Literal["relu", "tanh"], list[int], bool,
    float | None and the like. configs/model/mine.yaml lists them again, with the defaults; without that file the
    defaults of this signature apply.

    Args:
        spec: The shape of the data: `spec.input_dim` numbers per sample, and `spec.output_dim` outputs of the model.
        width: Hidden units.
        depth: Hidden layers.
        dropout: Share of the hidden units set to zero in training.
    """

    def __init__(
        self, spec: DataSpec, *, width: Positive[int] = 64, depth: Positive[int] = 2, dropout: Fraction[float] = 0.0
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(spec.input_dim, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.dropout = nn.Dropout(dropout)
        self.leave = nn.Linear(width, spec.output_dim)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for inputs `(B, …)`; the loss takes logits, without a softmax."""
        x = self.enter(inputs.flatten(1)).relu()  # (B, C, H, W) -> (B, width)
        for layer in self.layers:
            x = x + self.dropout(layer(x).relu())
        return self.leave(x)
