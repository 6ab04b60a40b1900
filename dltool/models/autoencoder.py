"""The autoencoder."""

from typing import Literal

from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register
from dltool.layers.activation import activation as activation_module
from dltool.layers.coder import Form
from dltool.models.coding_networks import CodingNetworks, convolutions_need_images

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]


@register("model", "autoencoder", inputs="any", tasks=("autoencoder",))
@convolutions_need_images
class Autoencoder(CodingNetworks):
    """An encoder that maps a sample to a short code, and a decoder that reconstructs the sample from it.

    Through a narrow layer a network must learn what its inputs have in common (Rumelhart, Hinton and Williams 1986).
    Deep ones are those of Hinton and Salakhutdinov (2006, Science 313:504), there pretrained layer by layer, here
    trained end to end. The sizes are those of the VAE, so that the two can be compared.

    Args:
        latent_dim: Numbers in a code.
        architecture: "mlp" is fully connected, for rows of numbers too; "conv" adds convolutions with stride 2 between
            the image and the hidden layers, and transposed ones in the decoder.
        hidden: Width of each fully connected layer of the encoder; the decoder has them in reverse.
        channels: Channels of each convolution of architecture=conv; each halves the image.
        activation: After each layer except the last one of encoder and decoder.
        code_activation: Activation of the code, "sigmoid" for units between 0 and 1; null for unbounded numbers.
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
        code_activation: Literal["sigmoid", "tanh", "relu"] | None = None,
    ) -> None:
        super().__init__(spec, Form(architecture, hidden, channels, activation), latent_dim)
        if code_activation is not None:
            self.encoder.layers.append(activation_module(code_activation))

    def codes(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.encoder(inputs)
