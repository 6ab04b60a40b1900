"""Training of a generator against a discriminator, with any GAN loss."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import Positive, register
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.losses.gan_loss import GanLoss
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.modes import NUM_SAMPLES, mode_coverage
from dltool.models.adversarial_networks import AdversarialNetworks
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.outputs import Adversaries, Network
from dltool.tasks.task import Loss, Source, Updater


@register("task", "gan", loss_for="gan", pixels="symmetric")
@no_mixing
class GanTask(GenerativeTask):
    """Algorithm 1 of Goodfellow et al. (2014, arXiv:1406.2661): alternate k steps of D and one of G.

    Each step of D draws a new batch of data and new noise, the step of G only new noise. The objectives, D's penalty or
    constraint and its number of steps belong to the loss (dltool.losses.gan_loss); this class has only the algorithm.
    The optimizers are those of the updaters "discriminator" and "generator". A conditional model gets the labels of the
    batch, both for data and for fakes.

    Logged: "d_loss" (without the penalty) and "g_loss" as minimized, "penalty" if there is one, and the loss's
    statistics of D's outputs: "d_real" and "d_fake" for data and fakes; "d_accuracy", which approaches 1/2. Of the k
    steps of D, the last is logged. An evaluation adds "modes" and "high_quality" where the data's modes are known.

    Args:
        discriminator_steps: k; "auto" takes the loss's number: 1, or 5 for a Wasserstein loss.
        measures: See GenerativeTask.

    Attributes:
        num_steps: Steps of G so far.
    """

    model: AdversarialNetworks
    collapse_remedy = "a smaller optim.lr, more data.batch_size, loss=non_saturating_r1 or loss=wasserstein_gp"
    metric_directions: ClassVar[dict[str, str]] = {
        "d_loss": "min",
        "g_loss": "min",
        "modes": "max",
        "high_quality": "max",
    }

    def __init__(
        self,
        model: AdversarialNetworks,
        loss: GanLoss,
        spec: DataSpec,
        *,
        discriminator_steps: Positive[int] | Literal["auto"] = "auto",
        **measures: Any,
    ) -> None:
        super().__init__(model, **measures)
        self.criterion = loss
        self.spec = spec
        self.generator, self.discriminator = model.generator, model.discriminator
        self.roles = {"discriminator": model.discriminator, "generator": model.generator}
        self.num_classes = model.num_classes
        self.discriminator_steps = discriminator_steps
        self.draws_per_step = loss.discriminator_steps if discriminator_steps == "auto" else discriminator_steps
        self.num_steps = 0

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        for _ in range(self.steps_of_discriminator()):
            self.criterion.constrain(self.discriminator)
            batch = source.draw()
            logs = updaters["discriminator"].minimize(self.discriminator_loss, batch)
        logs |= updaters["generator"].minimize(self.generator_loss, batch)
        self.num_steps += 1
        return logs

    def steps_of_discriminator(self) -> int:
        """k of this step."""
        if self.discriminator_steps == "auto":
            return self.criterion.steps_of_discriminator(self.num_steps)
        return self.discriminator_steps

    def discriminator_loss(self, batch: Batch) -> Loss:
        with torch.no_grad():  # Only D is updated.
            fakes = self.fakes(batch)
        discriminate = partial(self.model.discriminate, labels=self.labels(batch))
        real, fake = discriminate(batch.inputs).float(), discriminate(fakes).float()
        loss = self.criterion.discriminator(real, fake)
        logs = {"d_loss": mean_of(loss, batch), **self.criterion.scores(real, fake)}
        penalty = self.criterion.penalty(discriminate, batch.inputs, fakes, self.num_steps)
        if penalty is not None:
            logs["penalty"] = mean_of(penalty, batch)
            loss = loss + penalty
        return Loss(loss, batch.size, logs)

    def generator_loss(self, batch: Batch) -> Loss:
        """G never gets data: it uses the batch's size and labels, and D's scores if the loss compares them."""
        labels = self.labels(batch)
        fake = self.model.discriminate(self.fakes(batch), labels).float()
        real = self.model.discriminate(batch.inputs, labels).float() if self.criterion.compares else None
        loss = self.criterion.generator(fake, real)
        return Loss(loss, batch.size, {"g_loss": mean_of(loss, batch)})

    def fakes(self, batch: Batch) -> Tensor:
        """Samples from new noise, as many as in the batch and of its classes."""
        return self.model.generate(self.model.noise(batch.size), self.labels(batch))

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        """Both losses and D's scores on held-out data and on samples of the same fixed noise for every batch."""
        self.show_sample_evaluator(batch)
        labels = self.labels(batch)
        fakes = self.model.generate(self.model.noise(batch.size, generator(0, "gan evaluation")), labels)
        real = self.model.discriminate(batch.inputs, labels).float()
        fake = self.model.discriminate(fakes, labels).float()
        return {
            "d_loss": mean_of(self.criterion.discriminator(real, fake), batch),
            "g_loss": mean_of(self.criterion.generator(fake, real), batch),
            **self.criterion.scores(real, fake),
        }

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        if self.spec.centers:
            samples = self.samples(NUM_SAMPLES).cpu()
            coverage = mode_coverage(samples, torch.tensor(self.spec.centers), self.spec.center_std)
            metrics = metrics | {name: mean.value() for name, mean in coverage.items()}
        return super().finish_evaluation(metrics)

    def draw_codes(self, count: int, source: torch.Generator | None = None) -> Tensor:
        return self.model.noise(count, source)

    @torch.no_grad()
    def decode(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = self.cycle_labels(len(codes), codes.device)
        with evaluation_mode(self.generator):
            return self.in_range(self.model.generate(codes, labels))

    def in_range(self, samples: Tensor) -> Tensor:
        """Clamp samples to the range of the data: not every generator ends with a tanh."""
        return samples if self.spec.input_range is None else samples.clamp(*self.spec.input_range)

    @property
    def adversaries(self) -> Adversaries | None:
        if self.num_classes:
            return None
        model = self.model
        return Adversaries(
            model.generator,
            model.latent_dim,
            model.prior,
            model.noise,
            self.decode,
            self.judge,
            self.criterion.probabilities,
        )

    @torch.no_grad()
    def judge(self, samples: Tensor) -> Tensor:
        """D's outputs `(N,)` for samples `(N, *input_shape)`, in evaluation mode."""
        with evaluation_mode(self.discriminator):
            return self.model.discriminate(samples).float()

    @property
    def networks(self) -> dict[str, Network]:
        bounds, classes = self.spec.input_range, self.num_classes
        networks = {
            "generator": Network(
                self.generator,
                noise=self.codes_to_export,
                takes=f"noise, each number from {'N(0, 1)' if self.model.prior == 'normal' else 'U(-1, 1)'}"
                + (f", and the class as {classes} one-hot numbers" if classes else ""),
                gives="samples, scaled as the training data" + (f" to {bounds[0]:g} … {bounds[1]:g}" if bounds else ""),
            )
        }
        if not classes:  # A conditional one takes two tensors.
            networks["discriminator"] = Network(self.discriminator, gives="above 0 means data, else generated")
        return networks

    def codes_to_export(self, count: int) -> Tensor:
        """Inputs of the generator, the same each time."""
        z = self.model.noise(count, generator(0, "gan export"))
        return self.model.codes(z, self.cycle_labels(count, z.device))

    def state_dict(self) -> dict[str, Any]:
        return {"num_steps": self.num_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.num_steps = state.get("num_steps", 0)  # Older runs lack it, but have no schedule that needs it.


def mean_of(loss: Tensor, batch: Batch) -> Mean:
    return MeanOver(loss.detach(), batch.size)
