"""What every loss of a supervised task is: a mean over samples, and what it is the mean over."""

from torch import Tensor

from dltool.core.spec import DataSpec


class Criterion:
    """Base of the losses that compare outputs with targets.

    A loss returns (mean, count): the differentiable mean, and the weight with which it enters a mean over
    several batches, the number of samples unless said otherwise. Then the mean over a batch is exactly
    sum(mean * count) / sum(count) over its micro-batches, however uneven they are.

    Attributes:
        sums: The objective of a batch is the sum over its samples; the task then multiplies the mean by the
            size of the whole batch.
        is_likelihood: The mean is that of -log p(target), nothing added and all samples alike.
    """

    sums: bool = False
    is_likelihood: bool = False

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        """Compare outputs `(B, output_dim)` with targets `(B,)` int64 or `(B, target_dim)` float32."""
        raise NotImplementedError

    def probabilities(self, outputs: Tensor) -> Tensor | None:
        """The probability of each class that the outputs stand for, `(B, num_classes)`; None where for none."""
        return None

    def expected(self, outputs: Tensor) -> Tensor:
        """The targets that outputs stand for, of the same shape: what a decoder's outputs look like."""
        return outputs

    def pool(self, views: Tensor) -> Tensor:
        """The outputs that stand for several looks at each sample: the mean of theirs.

        Where outputs stand for probabilities, it is those of which the mean is taken.

        Args:
            views: `(V, B, output_dim)`.

        Returns:
            `(B, output_dim)`.
        """
        return views.mean(dim=0)
