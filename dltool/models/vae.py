"""The variational autoencoder."""

from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.layers.coder import Form
from dltool.models.class_condition import needs_classes
from dltool.models.coding_networks import CodingNetworks, convolutions_need_images

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]


@register("model", "vae", inputs="any", tasks=("vae",))
@convolutions_need_images
@needs_classes
@requires(
    lambda config: config.model.decoder_std == "loss" or config.loss.name == "gaussian",
    "model.decoder_std=learned is the standard deviation of a normal distribution, which this loss does not use",
    hint="loss=gaussian, or model.decoder_std=loss",
)
class Vae(CodingNetworks):
    """The networks of Kingma and Welling (2014, arXiv:1312.6114, section 3): q(z|x) = N(μ(x), σ²(x) I) and p(x|z).

    The encoder outputs μ and log σ², the decoder the parameters of p(x|z) for the loss; the prior is N(0, I). The sizes
    are those of PyTorch's example (400 ReLUs, a code of 20); the paper has 500 tanh units, weights from N(0, 0.01²) and
    Adagrad, where this has torch's initialisation and Adam. With a condition it is the conditional model
    of Sohn, Lee and Yan (2015, NeurIPS 28): encoder and decoder get the class concatenated to the sample and the code.
    There the prior of z is learned for each class; here it stays N(0, I), which their section 4.1 allows.

    Args:
        latent_dim: Numbers in a code.
        architecture: "mlp" is fully connected, for rows of numbers too; "conv" adds convolutions with stride 2 between
            the image and the hidden layers, and transposed ones in the decoder.
        hidden: Width of each fully connected layer of the encoder; the decoder has them in reverse.
        channels: Channels of each convolution of architecture=conv; each halves the image.
        activation: After each layer except the last one of encoder and decoder.
        decoder_std: Of a normal p(x|z): "loss" is the loss's value, "learned" one number for all inputs, trained with
            the rest (Rybkin, Daniilidis and Levine 2021, arXiv:2006.13202, section 3.1).
        condition: "input" generates samples of a class.

    Attributes:
        log_std: log of the learned deviation, a scalar; None if the loss defines it.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        latent_dim: Positive[int] = 20,
        architecture: Literal["mlp", "conv"] = "mlp",
        hidden: list[Positive[int]] = [400],  # noqa: B006 (the YAML's default; never changed)
        channels: list[Positive[int]] = [32, 64],  # noqa: B006
        activation: Activation = "relu",
        decoder_std: Literal["loss", "learned"] = "loss",
        condition: Literal["none", "input"] = "none",
    ) -> None:
        num_classes = 0 if condition == "none" else spec.num_classes
        form = Form(architecture, hidden, channels, activation)
        super().__init__(spec, form, latent_dim, numbers_per_code=2, num_classes=num_classes)
        learned = decoder_std == "learned"
        self.log_std = nn.Parameter(torch.zeros(())) if learned else None
        self.num_first_inputs = 512 if learned else 0

    @torch.no_grad()
    def initialize_from(self, inputs: Tensor) -> None:
        """Start with the data's deviation, as for a decoder without information; steps of its log are small."""
        assert self.log_std is not None
        self.log_std.copy_(inputs.std().clamp(min=1e-3).log())

    def encode(self, inputs: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), each `(B, latent_dim)`; arguments as for `codes`."""
        mean, log_variance = self.encoder(inputs, self.one_hot(labels, inputs)).chunk(2, dim=1)
        return mean, log_variance

    def codes(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.encode(inputs, labels)[0]
