"""How many classes a generative model makes, and how evenly."""

import math

import torch
from torch import Tensor


def mode_counts(labels: Tensor, num_classes: int) -> dict[str, float]:
    """What a classifier says of samples, counted (Metz et al. 2017, arXiv:1611.02163, section 3.3.1; Srivastava et al.
    2017, arXiv:1705.07761, section 4.1).

    Args:
        labels: The class of each sample, int64 `(N,)`.
        num_classes: Of the data.

    Returns:
        "modes", the classes with at least one sample, so that a classifier's mistakes count too; and
        "kl_to_uniform", the divergence KL(p || uniform) of the shares p of the classes, in nats: 0 where all are
        equal, log num_classes where there is one.
    """
    counts = torch.bincount(labels.cpu(), minlength=num_classes).double()
    shares = counts[counts > 0] / counts.sum()
    return {
        "modes": float((counts > 0).sum()),
        "kl_to_uniform": float((shares * shares.log()).sum()) + math.log(num_classes),
    }
