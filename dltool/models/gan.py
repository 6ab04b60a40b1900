"""The generative adversarial network: two multilayer perceptrons."""

from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, NonNegative, Positive, register
from dltool.layers.bounded import Bounded
from dltool.layers.hidden_layers import hidden_layers
from dltool.models.adversarial_networks import AdversarialNetworks, bounded_output_needs_least_squares
from dltool.models.class_condition import needs_classes

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]


@register("model", "gan", inputs="any", tasks=("gan",))
@bounded_output_needs_least_squares
@needs_classes
class Gan(AdversarialNetworks):
    """Generator and discriminator of Goodfellow et al. (2014, arXiv:1406.2661), both fully connected.

    ReLUs in G and dropout in D are the paper's. Deviations from the recipe of its code: leaky ReLUs instead of maxout
    in D, batch norm in G (without it and D's dropout the digits of MNIST collapse to ones within five epochs), tanh for
    images in [-1, 1] instead of a sigmoid for [0, 1], torch's initialisation, no dropout of D's inputs, and widths that
    train in minutes with Adam instead of SGD with momentum. Points in the plane, as data=gaussians, need neither
    of the two: generator_norm=null, discriminator_dropout=0.

    With a condition it is the conditional network of Mirza and Osindero (2014, arXiv:1411.1784, figure 1): both get the
    class concatenated to their input, here directly, there through its own hidden layer.

    Args:
        latent_dim: Numbers in the noise z.
        prior: Distribution of z: "normal" is N(0, 1), "uniform" U(-1, 1), in each component.
        generator_hidden: Width of each hidden layer of G.
        generator_activation: After each of them.
        generator_norm: "batch", "layer" or null, before each of those activations.
        discriminator_hidden: Width of each hidden layer of D.
        discriminator_activation: After each of them.
        discriminator_dropout: Share of D's hidden activations set to zero in training.
        discriminator_output: "logit" is unbounded, "sigmoid" the corresponding probability, for least squares.
        negative_slope: Of leaky ReLU, in both.
        condition: "input" generates samples of a class: G and D get it concatenated to their input.
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
        discriminator_output: Literal["logit", "sigmoid"] = "logit",
        negative_slope: NonNegative[float] = 0.2,
        condition: Literal["none", "input"] = "none",
    ) -> None:
        super().__init__(latent_dim, prior, 0 if condition == "none" else spec.num_classes)
        generator_widths = [latent_dim + self.num_classes, *generator_hidden]
        self.generator = nn.Sequential(
            *hidden_layers(generator_widths, generator_activation, negative_slope=negative_slope, norm=generator_norm),
            nn.Linear(generator_widths[-1], spec.input_dim),
            nn.Unflatten(1, spec.input_shape),
        )
        if spec.input_range is not None:
            self.generator.append(Bounded(*spec.input_range))
        discriminator_widths = [spec.input_dim + self.num_classes, *discriminator_hidden]
        layers = [
            *hidden_layers(
                discriminator_widths,
                discriminator_activation,
                negative_slope=negative_slope,
                dropout=discriminator_dropout,
            ),
            nn.Linear(discriminator_widths[-1], 1),
            *([nn.Sigmoid()] if discriminator_output == "sigmoid" else []),
            nn.Flatten(0),  # (B, 1) -> (B,)
        ]
        self.discriminator = FlattenWithClasses(*layers) if self.num_classes else nn.Sequential(nn.Flatten(), *layers)


class FlattenWithClasses(nn.Sequential):
    """Layers that take flattened samples concatenated with one-hot classes."""

    def forward(self, inputs: Tensor, classes: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(torch.cat([inputs.flatten(1), classes], dim=1))
