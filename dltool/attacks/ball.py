"""The set of allowed perturbations: a ball of L∞ or L2 radius eps around each image."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Norm = Literal["linf", "l2"]


@dataclass(frozen=True)
class Ball:
    """The ball around 0 that contains the perturbations `(B, C, H, W)`, for pixels in [0, 1].

    Attributes:
        norm: "linf" is the largest absolute value of a perturbation, "l2" the root of the sum of its squares.
        eps: The radius.
    """

    norm: Norm
    eps: float

    def scaled(self, factor: float) -> "Ball":
        """A ball of another radius, for the warm-up of an attack."""
        return Ball(self.norm, self.eps * factor)

    def size(self, perturbation: Tensor) -> Tensor:
        """The norm of each perturbation, `(B,)`."""
        flat = perturbation.flatten(1)
        return flat.abs().amax(1) if self.norm == "linf" else flat.norm(dim=1)

    def project(self, perturbation: Tensor) -> Tensor:
        """The nearest perturbation in the ball."""
        if self.norm == "linf":
            return perturbation.clamp(-self.eps, self.eps)
        return perturbation * (self.eps / column(self.size(perturbation), perturbation)).clamp(max=1)

    def around(self, pixels: Tensor, moved: Tensor) -> Tensor:
        """Project `moved` onto the ball around `pixels`, then clip it to [0, 1], which keeps it in the ball."""
        return (pixels + self.project(moved - pixels)).clamp(0, 1)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The step of norm 1 along which a function with this gradient increases fastest; 0 where the gradient is 0."""
        if self.norm == "linf":
            return gradient.sign()
        return gradient / column(self.size(gradient), gradient)

    def inside(self, pixels: Tensor) -> Tensor:
        """A perturbation drawn uniformly from the ball, of the shape of `pixels`."""
        if self.norm == "linf":
            return torch.empty_like(pixels).uniform_(-self.eps, self.eps)
        share = torch.rand(len(pixels), device=pixels.device) ** (1 / pixels[0].numel())
        return column(share, pixels) * self.surface(pixels)

    def surface(self, pixels: Tensor) -> Tensor:
        """A random perturbation of maximum norm: a corner of the cube, or a direction of the L2 ball."""
        if self.norm == "linf":
            return self.eps * torch.randint_like(pixels, 2).mul_(2).sub_(1)
        return self.eps * self.steepest(torch.randn_like(pixels))


def column(values: Tensor, like: Tensor) -> Tensor:
    """`(B,)` reshaped to `(B, 1, …)` for products and divisions; never 0."""
    return values.clamp(min=torch.finfo(values.dtype).tiny).view(-1, *[1] * (like.ndim - 1))
