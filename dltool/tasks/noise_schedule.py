"""How much noise each time step of a diffusion contains."""

import math
from typing import Literal

import torch
from torch import Tensor

NoiseName = Literal["linear", "cosine"]

LINEAR_BETAS = (1e-4, 0.02)  # β of the first and the last step, for T = 1,000.
OFFSET = 0.008  # s of the cosine schedule: the first steps must not contain too little noise.
MOST_BETA = 0.999


class NoiseSchedule:
    """q(x_t | x_0) = N(√ᾱ_t x_0, (1 - ᾱ_t) I) for t = 0 … T, with ᾱ_0 = 1 (Ho et al. 2020, arXiv:2006.11239, eq. 4).

    Args:
        name: "linear" has β_t from 1e-4 to 0.02 (section 4), scaled by 1000 / T if T is not 1,000; "cosine" has ᾱ_t
            proportional to cos²((t / T + s) / (1 + s) · π / 2) (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17).
        num_timesteps: T.

    Attributes:
        signal: √ᾱ_t, float32 `(T + 1,)`.
        noise: √(1 - ᾱ_t), float32 `(T + 1,)`.
    """

    def __init__(self, name: NoiseName, num_timesteps: int) -> None:
        self.num_timesteps = num_timesteps
        betas = linear_betas(num_timesteps) if name == "linear" else cosine_betas(num_timesteps)
        products = torch.cat((torch.ones(1, dtype=torch.float64), (1 - betas).cumprod(dim=0)))  # ᾱ
        self.signal = products.sqrt().float()
        self.noise = (1 - products).sqrt().float()

    def to(self, device: torch.device) -> "NoiseSchedule":
        """Move the tables to a device; returns self."""
        self.signal, self.noise = self.signal.to(device), self.noise.to(device)
        return self

    def at(self, times: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """√ᾱ_t and √(1 - ᾱ_t) for times int64 `(B,)`, to be multiplied with `like`, `(B, …)`."""
        shape = (-1, *[1] * (like.ndim - 1))
        return self.signal[times].view(shape), self.noise[times].view(shape)

    def subset(self, num_steps: int) -> list[int]:
        """Time steps of a sampler, from T to 0: `num_steps` evenly spaced ones from T to 1, then 0."""
        times = torch.linspace(self.num_timesteps, 1, num_steps, dtype=torch.float64).round().long()
        return [*times.tolist(), 0]


def linear_betas(num_timesteps: int) -> Tensor:
    """β_1 … β_T, float64."""
    first, last = (min(beta * 1000 / num_timesteps, MOST_BETA) for beta in LINEAR_BETAS)
    return torch.linspace(first, last, num_timesteps, dtype=torch.float64)


def cosine_betas(num_timesteps: int) -> Tensor:
    """β_1 … β_T, float64, at most 0.999, so that the last steps do not remove all signal at once."""
    shares = torch.linspace(0, 1, num_timesteps + 1, dtype=torch.float64)
    products = ((shares + OFFSET) / (1 + OFFSET) * math.pi / 2).cos().square()
    return (1 - products[1:] / products[:-1]).clamp(max=MOST_BETA)
