"""The likelihood of a model with latent variables, estimated by importance sampling."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

NUMBERS_AT_A_TIME = 2**22  # In the samples that are decoded together: 16 MB of float32.


def log_likelihood(
    log_weights: Callable[[Tensor], Tensor],
    num_samples: int,
    latent_dim: int,
    source: torch.Generator,
    *,
    input_dim: int,
    device: torch.device,
) -> Tensor:
    """log 1/k Σ p(x, z_i) / q(z_i|x) over k draws z_i of q(z|x), for one x (Burda, Grosse and Salakhutdinov 2016,
    arXiv:1509.00519, eq. 8).

    Its expectation is at most log p(x), increases with k, and converges to log p(x).

    Args:
        log_weights: Returns log p(x, z) - log q(z|x), `(n,)`, for draws of N(0, I), `(n, latent_dim)`, from which z is
            computed.
        num_samples: k.
        latent_dim: Numbers in a z.
        source: Generator on the CPU; the draws are the same on every device.
        input_dim: Numbers in x, which limits how many are decoded at a time.
        device: Device of the model.

    Returns:
        A scalar.
    """
    at_a_time = max(1, NUMBERS_AT_A_TIME // input_dim)
    total = torch.tensor(-torch.inf, device=device)
    for start in range(0, num_samples, at_a_time):
        noise = torch.randn(min(at_a_time, num_samples - start), latent_dim, generator=source).to(device)
        total = torch.logaddexp(total, log_weights(noise).logsumexp(0))
    return total - math.log(num_samples)
