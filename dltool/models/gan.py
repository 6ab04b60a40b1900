"""The generative adversarial network: two multilayer perceptrons."""

from typing import Literal

import torch
from torch import Tensor, nn

from dltool.component import Fraction, NonNegative, Positive, register
from dltool.layers.hidden_layers import hidden_layers
from dltool.spec import DataSpec

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]


@register("model", "gan", inputs="any", tasks=("gan",))
class Gan(nn.Module):
    """Generator and discriminator of Goodfellow et al. (2014, arXiv:1406.2661), both fully connected.

    Rectifiers in G and dropout in D are the paper's. Deviations from the recipe of its code: leaky rectifiers
    instead of maxout in D, batch norm in G (without it and D's dropout the digits of MNIST collapse to ones within
    five epochs), tanh for images in [-1, 1] instead of a sigmoid for [0, 1], torch's initialisation, no dropout of
    D's inputs, and widths that train in minutes with Adam instead of SGD with momentum. Points in the plane, as
    data=gaussians, want neither of the two: generator_norm=null, discriminator_dropout=0.

    Args:
        latent_dim: Numbers in the noise z.
        prior: Of z: "normal" is N(0, 1), "uniform" U(-1, 1), in each component.
        generator_hidden: Width of each hidden layer of G.
        generator_activation: After each of them.
        generator_norm: "batch", "layer" or null, before each of those activations.
        discriminator_hidden: Width of each hidden layer of D.
        discriminator_activation: After each of them.
        discriminator_dropout: Share of D's hidden activations set to zero in training.
        negative_slope: Of a leaky ReLU, in both.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        latent_dim: Positive[int] = 64,
        prior: Literal["normal", "uniform"] = "normal",
        generator_hidden: list[Positive[int]] = [256, 512],  # noqa: B006 (the YAML's default; never changed)
        generator_activation: Activation = "relu",
        generator_norm: Literal["batch", "layer"] | None = "batch",
        discriminator_hidden: list[Positive[int]] = [512, 256],  # noqa: B006
        discriminator_activation: Activation = "leaky_relu",
        discriminator_dropout: Fraction[float] = 0.3,
        negative_slope: NonNegative[float] = 0.2,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.prior = prior
        generator_widths = [latent_dim, *generator_hidden]
        self.generator = nn.Sequential(
            *hidden_layers(generator_widths, generator_activation, negative_slope=negative_slope, norm=generator_norm),
            nn.Linear(generator_widths[-1], spec.input_dim),
            nn.Unflatten(1, spec.input_shape),
        )
        if spec.input_range is not None:
            self.generator.append(Bounded(*spec.input_range))
        discriminator_widths = [spec.input_dim, *discriminator_hidden]
        self.discriminator = nn.Sequential(
            nn.Flatten(),
            *hidden_layers(
                discriminator_widths,
                discriminator_activation,
                negative_slope=negative_slope,
                dropout=discriminator_dropout,
            ),
            nn.Linear(discriminator_widths[-1], 1),
            nn.Flatten(0),  # (B, 1) -> (B,)
        )

    def noise(self, count: int, source: torch.Generator | None = None) -> Tensor:
        """Draws of z, `(count, latent_dim)`, on the model's device.

        Args:
            count: How many.
            source: A generator on the CPU, for the same numbers on every device; None draws from the
                default generator of the model's device.
        """
        draw = torch.randn if self.prior == "normal" else torch.rand
        device = next(self.parameters()).device
        z = draw(count, self.latent_dim, generator=source, device="cpu" if source else device).to(device)
        return z if self.prior == "normal" else 2 * z - 1

    def forward(self, inputs: Tensor) -> Tensor:
        """D(G(z)) as logits `(B,)` for as many draws of z as there are inputs: one pass through both networks.

        The training calls `generator` and `discriminator` by themselves.
        """
        return self.discriminator(self.generator(self.noise(len(inputs))))


class Bounded(nn.Module):
    """tanh, scaled from (-1, 1) onto (low, high)."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.center = (low + high) / 2
        self.radius = (high - low) / 2

    def forward(self, inputs: Tensor) -> Tensor:
        return self.center + self.radius * torch.tanh(inputs)
