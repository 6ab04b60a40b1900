"""The base of the losses of supervised tasks: a mean over samples, and its weight."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor

from dltool.core.spec import DataSpec


class Criterion:
    """Base of the losses that compare outputs with targets.

    A loss returns (mean, count): the differentiable mean, and its weight in a mean over several batches, which is
    the number of samples unless stated otherwise. The mean over a batch is then exactly
    sum(mean * count) / sum(count) over its micro-batches, even if they differ in size.

    Attributes:
        sums: The objective of a batch is the sum over its samples; the task then multiplies the mean by the
            size of the whole batch.
        is_likelihood: The mean is that of -log p(target), without additions and with equal weights.
        nats: Of a loss of numbers: the mean as a multiple of that of -log p(target), for errors of unit variance; 2 for
            squares without 1/2.
        choices: The numbers computed for keys such as "balanced", by dotted key.
    """

    sums: bool = False
    is_likelihood: bool = False
    nats: float = 1.0
    choices: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | int]:
        """Compare outputs `(B, output_dim)` with targets `(B,)` int64 or `(B, target_dim)` float32."""
        raise NotImplementedError

    def probabilities(self, outputs: Tensor) -> Tensor | None:
        """The class probabilities that the outputs represent, `(B, num_classes)`; None if they represent none."""
        return None

    def expected(self, outputs: Tensor) -> Tensor:
        """The targets that outputs represent, of the same shape: the samples that a decoder's outputs describe."""
        return outputs

    def pool(self, views: Tensor) -> Tensor:
        """The mean of the outputs for several augmented views of each sample.

        Where outputs represent probabilities, the probabilities are averaged.

        Args:
            views: `(V, B, output_dim)`.

        Returns:
            `(B, output_dim)`.
        """
        return views.mean(dim=0)
