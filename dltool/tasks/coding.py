"""The base of autoencoder tasks: encode samples to codes, decode codes to samples."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.randomness import drawn, generator
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.losses.criterion import Criterion
from dltool.losses.likelihood import Likelihood
from dltool.models.coding_networks import CodingNetworks
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.outputs import Network


class CodingTask(GenerativeTask):
    """Base of the tasks whose models have an encoder and a decoder.

    Codes are drawn from N(0, I). For a VAE that is the prior of its training. A plain autoencoder is trained without a
    prior on its codes, and the quality of its samples shows that.

    Watchers get each evaluation batch with the codes of its samples, `(B, latent_dim)`.

    Raises:
        ConfigError: The loss is for inputs in [0, 1], but the inputs have another range.
    """

    uses = ("generate", "reconstruct")
    collapse_remedy = "a smaller weight of the KL divergence (task.beta), or let it grow (task.beta_warmup_steps)"
    main_metric: ClassVar[tuple[str, str] | None] = ("loss", "min")  # type: ignore[misc]
    model: CodingNetworks

    def __init__(self, model: CodingNetworks, loss: Criterion, spec: DataSpec, **measures: Any) -> None:
        super().__init__(model, **measures)
        self.criterion = loss
        self.spec = spec
        self.latent_dim, self.num_classes = model.latent_dim, model.num_classes
        if isinstance(loss, Likelihood) and loss.of_pixels and spec.input_range != (0, 1):
            there = "are not bounded" if spec.input_range is None else "are in [{:g}, {:g}]".format(*spec.input_range)
            scaled = "data.scaling=unit for images, or " if len(spec.input_shape) == 3 else ""
            raise ConfigError(
                f"loss=bernoulli is for inputs in [0, 1] (pixels), but these {there}",
                f"{scaled}{setting('loss', self.loss_of_numbers)}",
            )

    @property
    def loss_of_numbers(self) -> str:
        """The loss that takes any inputs, for messages."""
        raise NotImplementedError

    def draw_codes(self, count: int, source: torch.Generator | None = None) -> Tensor:
        device = next(self.model.parameters()).device
        return drawn(torch.randn, (count, self.latent_dim), source, device)

    @torch.no_grad()
    def decode(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """The decoder's expected value for each code; for binary pixels, the probability of white."""
        labels = self.cycle_labels(len(codes), codes.device) if labels is None else labels
        return self.criterion.expected(self.model.decode(codes, labels).float())

    @torch.no_grad()
    def codes(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """The codes of samples, scaled as in the data, `(B, latent_dim)`; for a distribution, its mean."""
        return self.model.codes(inputs, labels).float()

    def reconstruct(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """Encode samples and decode their codes, `(B, *input_shape)`."""
        return self.decode(self.codes(inputs, labels), labels)

    def show_codes(self, batch: Batch) -> None:
        for watcher in self.watchers:
            watcher.see(batch, self.codes(batch.inputs, self.labels(batch)))

    @property
    def networks(self) -> dict[str, Network]:
        classes = self.num_classes
        networks = {
            "decoder": Network(
                Expected(self.model.decoder, self.criterion),
                noise=self.codes_to_export,
                takes="a code" + (f", and the class as {classes} one-hot numbers" if classes else ""),
                gives="samples, scaled as the training data",
            )
        }
        if not classes:  # A conditional one takes two tensors.
            networks["encoder"] = Network(CodesOf(self.model), gives="the code of each sample")
        return networks

    def codes_to_export(self, count: int) -> Tensor:
        """Inputs of the decoder, the same each time."""
        codes = self.draw_codes(count, generator(0, "codes to export"))
        classes = self.model.one_hot(self.cycle_labels(count, codes.device), codes)
        return codes if classes is None else torch.cat([codes, classes], dim=1)


class Expected(nn.Module):
    """A decoder that outputs expected values."""

    def __init__(self, decoder: nn.Module, criterion: Criterion) -> None:
        super().__init__()
        self.decoder = decoder
        self.criterion = criterion

    def forward(self, codes: Tensor) -> Tensor:
        return self.criterion.expected(self.decoder(codes))


class CodesOf(nn.Module):
    """An encoder whose outputs are the codes."""

    def __init__(self, networks: CodingNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, inputs: Tensor) -> Tensor:
        return self.networks.codes(inputs)
