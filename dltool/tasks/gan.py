"""Adversarial training as in the original paper."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dltool.batch import Batch
from dltool.component import Positive, register, requires
from dltool.losses.minimax import Minimax
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.modes import NUM_SAMPLES, mode_coverage
from dltool.models.gan import Gan
from dltool.randomness import generator
from dltool.spec import DataSpec
from dltool.tasks.task import Loss, Network, Source, Task, Updater


@register("task", "gan", loss_for="gan", pixels="symmetric")
@requires(
    lambda config: (
        config.data.inputs != "image" or not (config.data.augment.get("mixup") or config.data.augment.get("cutmix"))
    ),
    "data.augment.mixup and data.augment.cutmix mix classes, and a GAN is asked for none",
    hint="data.augment.mixup=0 data.augment.cutmix=0",
)
class GanTask(Task):
    """Algorithm 1 of Goodfellow et al. (2014, arXiv:1406.2661): k steps of D, then one of G, again and again.

    Each step of D draws a fresh batch of data and fresh noise, the step of G fresh noise alone. The losses
    of both players come from the loss (`non_saturating`, `minimax`), the optimizers from the updaters
    "discriminator" and "generator", so the algorithm is all that is here.

    Logged: "d_loss" and "g_loss" as minimized; "d_real", mean D(x), and "d_fake", mean D(G(z)), both 1/2 at
    the game's solution; "d_accuracy", the share of real and fake samples that D tells right. Of k steps of D
    the last is logged. An evaluation adds "modes" and "high_quality" where the data's modes are known.

    Args:
        discriminator_steps: k.
    """

    model: Gan
    main_metric = None

    def __init__(self, model: Gan, loss: Minimax, spec: DataSpec, *, discriminator_steps: Positive[int] = 1) -> None:
        super().__init__(model)
        self.criterion = loss
        self.spec = spec
        self.generator, self.discriminator = model.generator, model.discriminator
        self.roles = {"discriminator": model.discriminator, "generator": model.generator}
        self.discriminator_steps = self.draws_per_step = discriminator_steps

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        for _ in range(self.discriminator_steps):
            batch = source.draw()
            logs = updaters["discriminator"].minimize(self.discriminator_loss, batch)
        # G never sees data: of the last batch it takes the size.
        return {**logs, **updaters["generator"].minimize(self.generator_loss, batch)}

    def discriminator_loss(self, batch: Batch) -> Loss:
        with torch.no_grad():  # The step is D's alone.
            fakes = self.generator(self.model.noise(batch.size))
        real_logits = self.discriminator(batch.inputs).float()
        fake_logits = self.discriminator(fakes).float()
        loss = self.criterion.discriminator(real_logits, fake_logits)
        return Loss(loss, batch.size, {"d_loss": mean_of(loss, batch), **verdicts(real_logits, fake_logits)})

    def generator_loss(self, batch: Batch) -> Loss:
        fakes = self.generator(self.model.noise(batch.size))
        loss = self.criterion.generator(self.discriminator(fakes).float())
        return Loss(loss, batch.size, {"g_loss": mean_of(loss, batch)})

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        """Both losses and D's verdicts on held-out data against the same fixed fakes for every batch."""
        noise = self.model.noise(batch.size, generator(0, "gan evaluation"))
        real_logits = self.discriminator(batch.inputs).float()
        fake_logits = self.discriminator(self.generator(noise)).float()
        return {
            "d_loss": mean_of(self.criterion.discriminator(real_logits, fake_logits), batch),
            "g_loss": mean_of(self.criterion.generator(fake_logits), batch),
            **verdicts(real_logits, fake_logits),
        }

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        if not self.spec.centers:
            return metrics
        samples = self.samples(NUM_SAMPLES).cpu()
        coverage = mode_coverage(samples, torch.tensor(self.spec.centers), self.spec.center_std)
        return metrics | {name: mean.value() for name, mean in coverage.items()}

    @torch.no_grad()
    def samples(self, count: int) -> Tensor:
        """G(z) for fixed z, so that the pictures of two epochs, runs or devices show the same points of the
        latent space; their noise comes from a name, not from the run's seed."""
        training = self.generator.training
        samples = self.generator.eval()(self.model.noise(count, generator(0, "gan samples")))
        self.generator.train(training)
        return samples

    @property
    def networks(self) -> dict[str, Network]:
        bounds = self.spec.input_range
        return {
            "generator": Network(
                self.generator,
                noise=lambda count: self.model.noise(count, generator(0, "gan export")),
                takes=f"noise, each number from {'N(0, 1)' if self.model.prior == 'normal' else 'U(-1, 1)'}",
                gives="samples, scaled as the training data" + (f" to {bounds[0]:g} … {bounds[1]:g}" if bounds else ""),
            ),
            "discriminator": Network(self.discriminator, gives="a logit; above 0 means data, else made up"),
        }


def mean_of(loss: Tensor, batch: Batch) -> Mean:
    return MeanOver(loss.detach(), batch.size)


def verdicts(real_logits: Tensor, fake_logits: Tensor) -> dict[str, Mean]:
    """What D thinks of real data and of fakes, from its logits `(B,)` of each."""
    real, fake, count = real_logits.detach(), fake_logits.detach(), len(real_logits)
    return {
        "d_real": Mean(real.sigmoid().sum(), count),
        "d_fake": Mean(fake.sigmoid().sum(), count),
        "d_accuracy": Mean((real > 0).count_nonzero() + (fake <= 0).count_nonzero(), 2 * count),
    }
