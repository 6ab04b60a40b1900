"""The distribution of a decoder's outputs: log p(x|z) and its expectation."""

from torch import Tensor

from dltool.losses.criterion import Criterion


class Likelihood(Criterion):
    """Base of the losses that are -log p(x|z), in nats per sample, summed over its numbers.

    Attributes:
        of_pixels: Whether the numbers must lie in [0, 1].
    """

    is_likelihood = True
    of_pixels: bool = False

    def __call__(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        return -self.log_prob(outputs, targets).mean(), len(targets)

    def log_prob(self, outputs: Tensor, inputs: Tensor, log_std: Tensor | None = None) -> Tensor:
        """log p(x|z) of each sample, `(B,)`.

        Args:
            outputs: Of the decoder, `(B, …)`.
            inputs: The samples x, of the same shape.
            log_std: Logarithm of a standard deviation learned by the model, a scalar; it replaces the loss's own.
        """
        raise NotImplementedError
