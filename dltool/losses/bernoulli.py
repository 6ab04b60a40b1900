"""The likelihood of black-and-white pixels."""

import torch.nn.functional as F
from torch import Tensor

from dltool.declarations.component import register
from dltool.losses.likelihood import Likelihood


@register("loss", "bernoulli", tasks=("vae", "autoencoder"), default_for=("vae",))
class Bernoulli(Likelihood):
    """-Σ x log σ(a) + (1 - x) log(1 - σ(a)) over the logits a of a sample, in nats (Kingma and Welling 2014,
    arXiv:1312.6114, appendix C.1).

    For x in {0, 1} it is a negative log-likelihood. For grey pixels in between it is a cross-entropy with its minimum
    at σ(a) = x. That is good enough for learning but not a likelihood: it lacks the normalisation constant
    (Loaiza-Ganem and Cunningham 2019, arXiv:1907.06845), and must not be compared with one.
    """

    of_pixels = True

    def log_prob(self, outputs: Tensor, inputs: Tensor, log_std: Tensor | None = None) -> Tensor:
        return (
            -F.binary_cross_entropy_with_logits(outputs, inputs, reduction="none").flatten(1).sum(1)
        )  # (B, …) -> (B,)

    def expected(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()
