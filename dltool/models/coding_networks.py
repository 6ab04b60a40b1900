"""The base of autoencoders and variational autoencoders."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import requires
from dltool.layers.coder import Decoder, Encoder, Form

convolutions_need_images = requires(
    lambda config: config.model.architecture == "mlp" or config.data.inputs == "image",
    "model.architecture=conv needs images, but the data has rows of numbers",
    hint="model.architecture=mlp",
)


class CodingNetworks(nn.Module):
    """Base of the models that `task=autoencoder` and `task=vae` train.

    The decoder takes one tensor, the code z `(B, latent_dim)`, for a conditional one followed by the one-hot class. Its
    outputs have the samples' shape and are unbounded; the loss defines their meaning.

    Args:
        spec: Of the data.
        form: Architecture of encoder and decoder.
        latent_dim: Numbers in a code.
        numbers_per_code: Encoder outputs per component of the code: 1 for the code, 2 for its mean and variance.
        num_classes: Classes of which samples can be generated; 0 for an unconditional model.
    """

    def __init__(
        self, spec: DataSpec, form: Form, latent_dim: int, *, numbers_per_code: int = 1, num_classes: int = 0
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.encoder = Encoder(spec.input_shape, form, numbers_per_code * latent_dim, num_classes)
        self.decoder = Decoder(spec.input_shape, form, latent_dim + num_classes)

    def codes(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """The code of each sample `(B, latent_dim)`; the mean, if it has a distribution.

        Args:
            inputs: `(B, …)`.
            labels: int64 `(B,)`, for a conditional model.
        """
        raise NotImplementedError

    def decode(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """The decoder's outputs `(B, *input_shape)`."""
        classes = self.one_hot(labels, codes)
        return self.decoder(codes if classes is None else torch.cat([codes, classes], dim=1))

    def one_hot(self, labels: Tensor | None, like: Tensor) -> Tensor | None:
        """Classes `(B, num_classes)` with the dtype of `like`; None if the model is unconditional."""
        if not self.num_classes:
            return None
        assert labels is not None, "a conditional model needs labels"
        return F.one_hot(labels, self.num_classes).to(like.dtype)

    def forward(self, inputs: Tensor) -> Tensor:
        """The outputs for the codes of the inputs; a conditional model gets the classes in turn."""
        labels = torch.arange(len(inputs), device=inputs.device) % self.num_classes if self.num_classes else None
        return self.decode(self.codes(inputs, labels), labels)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the two halves, which the training calls separately."""
        for half in (self.encoder, self.decoder):
            half.compile(*args, **kwargs)
