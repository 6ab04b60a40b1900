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
    """An encoder that makes a short code of a sample, and a decoder that makes the sample of it again.

    Through a narrow layer a network must find what its inputs have in common (Rumelhart, Hinton and Williams 1986);
    deep ones are those of Hinton and Salakhutdinov (2006, Science 313:504), there pretrained layer by layer, here
    trained at once. The sizes are those of the VAE, so that the two can be held side by side.

    Args:
        latent_dim: Numbers in a code.
        architecture: "mlp" is fully connected, for rows of numbers too; "conv" has convolutions with stride 2 on the
            image's side of the hidden layers, and transposed ones in the decoder.
        hidden: Width of each fully connected layer of the encoder; the decoder has them in reverse.
        channels: Of each convolution of architecture=conv; each halves the image.
        activation: After each layer but the last of either half.
        code_activation: What bounds the code, "sigmoid" where a unit of it shall be on or off; null for any numbers.
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
