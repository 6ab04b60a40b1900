"""The normal distribution of numbers around the decoder's outputs."""

import math

import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.losses.likelihood import Likelihood


@register("loss", "gaussian", tasks=("vae",))
class Gaussian(Likelihood):
    """-log N(x; outputs, σ² I) with all its constants, in nats (Kingma and Welling 2014, arXiv:1312.6114, appendix
    C.2).

    It is a density: it can be below 0, and depends on the units of x. Pixels lie on a grid of 256 values, where a
    density has no bound (σ → 0 on identical pixels). Compare such numbers only at the same scaling, and never
    with those of black-and-white pixels.

    Args:
        std: σ of each number, in the units of the scaled data; `model.decoder_std=learned` learns it.
    """

    def __init__(self, spec: DataSpec, *, std: Positive[float] = 0.1) -> None:
        super().__init__(spec)
        self.log_std = math.log(std)

    def log_prob(self, outputs: Tensor, inputs: Tensor, log_std: Tensor | None = None) -> Tensor:
        log_std = outputs.new_tensor(self.log_std) if log_std is None else log_std
        squares = (inputs - outputs).square().flatten(1).sum(1)  # (B, …) -> (B,)
        num_numbers = inputs[0].numel()
        return -0.5 * squares * torch.exp(-2 * log_std) - num_numbers * (log_std + 0.5 * math.log(2 * math.pi))
