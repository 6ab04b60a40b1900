"""The autoencoder, plain, denoising or sparse."""

from typing import Any, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import NonNegative, Probability, register, requires
from dltool.losses.criterion import Criterion
from dltool.metrics.mean import Mean, MeanOver
from dltool.models.coding_networks import CodingNetworks
from dltool.tasks.coding import CodingTask
from dltool.tasks.task import Loss


@register("task", "autoencoder", loss_for="autoencoder", pixels="unit")
@no_mixing
@requires(
    lambda config: config.task.sparsity != "kl" or config.model.code_activation == "sigmoid",
    "task.sparsity=kl compares the mean activation of a unit of the code, which must be in (0, 1)",
    hint="model.code_activation=sigmoid, or task.sparsity=l1",
)
@requires(
    lambda config: config.task.sparsity == "none" or config.task.sparsity_weight > 0,
    "task.sparsity has no effect if task.sparsity_weight is 0",
    hint="task.sparsity_weight=0.1",
)
@requires(
    lambda config: config.task.noise != "masking" or config.task.noise_strength <= 1,
    "task.noise=masking sets a fraction of the inputs to 0, but task.noise_strength is more than 1",
    hint="task.noise_strength=0.3",
)
class AutoencoderTask(CodingTask):
    """Minimize loss(decoder(encoder(x̃)), x) + a sparsity penalty on the codes.

    x̃ = x in a plain autoencoder. A denoising one (Vincent et al. 2010, JMLR 11:3371, section 3) gets a corrupted x̃
    and reconstructs x, so that copying is not enough; noise is drawn again for each batch, in training only. A sparse
    one penalizes codes that are not 0: Σ|z| of each sample, as under a Laplace prior (Goodfellow, Bengio and Courville
    2016, section 14.2.1), or Σ KL(ρ ‖ ρ̂) over the units of the code, where ρ̂ is a unit's mean over the samples and ρ
    its target (Ng 2011, CS294A lecture notes, pages 14-16). In the notes ρ̂ is the mean over all training data, here
    over the batch, and with trainer.accumulate over the micro-batch.

    Logged: "loss" without the penalty, in training of the corrupted samples; "penalty" if there is one. An evaluation
    gives "loss" of the uncorrupted samples.

    Args:
        noise: "gaussian" adds N(0, s²) to each number, "masking" sets it to 0 with probability s; "none".
        noise_strength: s; for "gaussian" in the units that the data has after its scaling.
        sparsity: "l1", "kl" or "none".
        sparsity_weight: Weight of that penalty.
        sparsity_target: ρ.
        measures: See GenerativeTask; the samples are decoded from random codes.
    """

    def __init__(
        self,
        model: CodingNetworks,
        loss: Criterion,
        spec: DataSpec,
        *,
        noise: Literal["none", "gaussian", "masking"] = "none",
        noise_strength: NonNegative[float] = 0.3,
        sparsity: Literal["none", "l1", "kl"] = "none",
        sparsity_weight: NonNegative[float] = 0.1,
        sparsity_target: Probability[float] = 0.05,
        **measures: Any,
    ) -> None:
        super().__init__(model, loss, spec, **measures)
        self.noise, self.noise_strength = noise, noise_strength
        self.sparsity, self.sparsity_weight, self.sparsity_target = sparsity, sparsity_weight, sparsity_target

    @property
    def loss_of_numbers(self) -> str:
        return "mse"

    def loss(self, batch: Batch) -> Loss:
        codes = self.model.codes(self.corrupted(batch.inputs))
        mean, count = self.criterion(self.model.decode(codes).float(), batch.inputs)
        logs: dict[str, Mean] = {"loss": MeanOver(mean.detach(), count)}
        objective = mean * batch.full_size if self.criterion.sums else mean
        if self.sparsity != "none":
            penalty = self.sparsity_weight * self.density(codes.float())
            logs["penalty"] = MeanOver(penalty.detach(), count)
            objective = objective + penalty
        return Loss(objective, count, logs)

    def corrupted(self, inputs: Tensor) -> Tensor:
        """The corrupted inputs x̃."""
        if self.noise == "gaussian":
            return inputs + self.noise_strength * torch.randn_like(inputs)
        if self.noise == "masking":
            return inputs * (torch.rand_like(inputs) >= self.noise_strength)
        return inputs

    def density(self, codes: Tensor) -> Tensor:
        """The sparsity penalty of codes `(B, latent_dim)`, a scalar."""
        if self.sparsity == "l1":
            return codes.abs().sum(1).mean()
        rate, target = codes.mean(0).clamp(1e-6, 1 - 1e-6), torch.full_like(codes[0], self.sparsity_target)
        on, off = torch.xlogy(target, target / rate), torch.xlogy(1 - target, (1 - target) / (1 - rate))
        return (on + off).sum()

    @property
    def evaluation_adds_up(self) -> bool:
        return self.only_sums_metrics and self.sample_evaluator is None

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        self.show_sample_evaluator(batch)
        self.show_codes(batch)
        mean, count = self.criterion(self.model(batch.inputs).float(), batch.inputs)
        return {"loss": MeanOver(mean, count)}
