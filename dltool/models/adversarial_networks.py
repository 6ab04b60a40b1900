"""The base of generators with their discriminators."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.randomness import drawn
from dltool.declarations.component import requires

Prior = Literal["normal", "uniform"]


bounded_output_needs_least_squares = requires(
    lambda config: config.model.discriminator_output == "logit" or config.loss.name == "least_squares_gan",
    "model.discriminator_output=sigmoid bounds D by 0 and 1, but other losses need a critic or a logit without bounds",
    hint="model.discriminator_output=logit, or loss=least_squares_gan",
)


class AdversarialNetworks(nn.Module):
    """Base of the models that `task=gan` trains: subclasses define `generator` and `discriminator`.

    A generator takes one tensor, the code: noise z `(B, latent_dim)`, for a conditional one followed by the one-hot
    class, `(B, latent_dim + num_classes)`. A discriminator takes samples, and the one-hot classes `(B, num_classes)`
    too if it is conditional; it outputs one number per sample, `(B,)`, above 0 for data.

    Args:
        latent_dim: Numbers in the noise z.
        prior: Distribution of z: "normal" is N(0, 1), "uniform" U(-1, 1), in each component.
        num_classes: Classes of which samples can be generated; 0 for an unconditional model.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, latent_dim: int, prior: Prior, num_classes: int = 0) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.prior = prior
        self.num_classes = num_classes

    def noise(self, count: int, source: torch.Generator | None = None) -> Tensor:
        """Draws of z, `(count, latent_dim)`, on the model's device.

        Args:
            count: Number of draws.
            source: A generator on the CPU, for the same numbers on every device; None draws from the
                default generator of the model's device.
        """
        draw = torch.randn if self.prior == "normal" else torch.rand
        z = drawn(draw, (count, self.latent_dim), source, next(self.parameters()).device)
        return z if self.prior == "normal" else 2 * z - 1

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """G(z), or G(z | y) of a conditional model.

        Args:
            z: `(B, latent_dim)`.
            labels: int64 `(B,)`; ignored by an unconditional model.
        """
        return self.generator(self.codes(z, labels))

    def codes(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The generator's input, `(B, latent_dim + num_classes)`; arguments as for `generate`."""
        return torch.cat([z, self.one_hot(labels, z)], dim=1) if self.num_classes else z

    def discriminate(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """D(x), or D(x | y), `(B,)`; arguments as for `generate`."""
        if not self.num_classes:
            return self.discriminator(inputs)
        return self.discriminator(inputs, self.one_hot(labels, inputs))

    def one_hot(self, labels: Tensor | None, like: Tensor) -> Tensor:
        """Classes `(B, num_classes)` with the dtype of `like`."""
        assert labels is not None, "a conditional model needs labels"
        return F.one_hot(labels, self.num_classes).to(like.dtype)

    def forward(self, inputs: Tensor) -> Tensor:
        """D(G(z)) `(B,)` for as many draws of z as there are inputs, with the classes in turn.

        One forward pass through both networks; the training calls `generator` and `discriminator` separately.
        """
        labels = None
        if self.num_classes:
            labels = torch.arange(len(inputs), device=inputs.device) % self.num_classes
        return self.discriminate(self.generate(self.noise(len(inputs)), labels), labels)
