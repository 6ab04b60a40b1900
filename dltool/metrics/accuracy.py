"""The share of samples that are classified correctly."""

from torch import Tensor

from dltool.metrics.mean import Mean


def accuracy(outputs: Tensor, targets: Tensor) -> Mean:
    """Count the samples whose predicted class is the target.

    Args:
        outputs: Scores `(B, K)`, of which the largest wins, or `(B, 1)`, where a positive one means class 1.
        targets: Labels `(B,)`.
    """
    predicted = outputs.argmax(dim=1) if outputs.shape[1] > 1 else outputs.squeeze(1) > 0
    return Mean((predicted == targets).count_nonzero(), len(targets))  # On the CPU cheaper than sum().
