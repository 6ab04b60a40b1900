"""The training of StyleGAN2: a GAN with a lazy penalty for each network."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import EvaluationOnly, NonNegative, Positive, Probability, register, requires
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.full_precision import full_precision
from dltool.losses.gan_loss import GanLoss, squared_gradient_norms
from dltool.metrics.mean import Mean
from dltool.models.stylegan2 import StyleGan2
from dltool.tasks.gan import GanTask, mean_of
from dltool.tasks.outputs import Network
from dltool.tasks.task import Loss, Source, Updater


@register("task", "stylegan2", loss_for="gan", pixels="symmetric", like="gan")
@requires(
    lambda config: config.model.name == "stylegan2",
    "task=stylegan2 mixes styles and measures path lengths in style space, but the model has no styles",
    hint="model=stylegan2, or task=gan",
)
@no_mixing
class StyleGan2Task(GanTask):
    """The four phases of Karras et al. (2020, arXiv:1912.04958): D, its R1, G, its path lengths.

    The penalties are "lazy" (section 3.1): each is applied only in every n-th step, multiplied by n, as a separate
    optimizer step. Adam then takes n + 1 steps instead of n, which optim=adam_stylegan2 corrects by role: exponent n /
    (n + 1) on the betas, and the same factor on the learning rate. Both are computed in float32.

    Logged in addition to the metrics of task=gan: "r1", γ/2 E |∇D(x)|²; "path_length", the mean of |Jᵀy|, and
    "path_penalty", its mean squared distance from the running mean. Each is the mean over the steps in which it was
    applied.

    Deviations from the authors' code: style mixing is drawn per sample, not per batch; D's steps come before G's, as in
    task=gan; the running mean of path lengths is a constant in the penalty's gradient, and starts at the first step's
    mean. It starts at 0 in the authors' code, which pushes the first steps of a short training towards paths of length
    0, that is, images independent of w. Both running means, of path lengths and of styles, are those of whole batches;
    where a batch is divided, each micro-batch compares its path lengths with the mean that itself would give.

    Args:
        style_mixing: Share of fakes with two styles, the second one starting at a random layer.
        r1: γ; 0 for none. 10 is the paper's; the rule of stylegan2-ada is 0.0002 · pixels / batch size.
        r1_every_n_steps: Interval of that penalty.
        path_length: Weight of the path length penalty (section 3.2); 0 for none.
        path_length_every_n_steps: Interval of that penalty.
        path_length_decay: Share of a step's mean path length in the running mean.
        path_length_shrink: The batch size of the path length penalty is divided by this.
        metrics, num_samples, features: See GenerativeTask.

    Attributes:
        path_length_mean: Running mean of the path lengths; 0 before the first step.
    """

    model: StyleGan2
    uses: tuple[str, ...] = (*GanTask.uses, "mix")
    metric_directions: ClassVar[dict[str, str]] = {"r1": "min", "path_penalty": "min"}

    def __init__(
        self,
        model: StyleGan2,
        loss: GanLoss,
        spec: DataSpec,
        *,
        style_mixing: Probability[float] = 0.9,
        r1: NonNegative[float] = 10.0,
        r1_every_n_steps: Positive[int] = 16,
        path_length: NonNegative[float] = 2.0,
        path_length_every_n_steps: Positive[int] = 4,
        path_length_decay: Probability[float] = 0.01,
        path_length_shrink: Positive[int] = 2,
        metrics: EvaluationOnly[list[str] | None] = None,
        num_samples: EvaluationOnly[Positive[int] | Literal["auto"]] = "auto",
        features: EvaluationOnly[str] = "lenet",
    ) -> None:
        super().__init__(model, loss, spec, metrics=metrics, num_samples=num_samples, features=features)
        self.mapping, self.synthesis = model.generator.mapping, model.generator.synthesis
        self.style_mixing = style_mixing
        self.r1 = r1
        self.r1_every_n_steps = r1_every_n_steps
        self.path_length = path_length
        self.path_length_every_n_steps = path_length_every_n_steps
        self.path_length_decay = path_length_decay
        self.path_length_shrink = path_length_shrink
        self.path_length_mean = torch.zeros(())
        # Of the newest update's micro-batches; empty if its batch was not divided.
        self._styles: list[tuple[Tensor, Tensor | None]] = []
        self._lengths: list[Tensor] = []

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        batch = source.draw()
        logs = self.minimize(updaters["discriminator"], self.discriminator_loss, batch)
        if self.r1 and self.num_steps % self.r1_every_n_steps == 0:
            logs |= updaters["discriminator"].minimize(self.r1_loss, batch)
        logs |= self.minimize(updaters["generator"], self.generator_loss, batch)
        if self.path_length and self.num_steps % self.path_length_every_n_steps == 0:
            logs |= self.minimize(updaters["generator"], self.path_length_loss, batch)
        self.num_steps += 1
        return logs

    def minimize(self, updater: Updater, loss: Callable[[Batch], Loss], batch: Batch) -> dict[str, Mean]:
        """An update, after which the running means follow the whole batch."""
        logs = updater.minimize(loss, batch)
        if self._styles:
            styles = updater.joined(torch.cat([part for part, _ in self._styles]), batch)
            labels = [part for _, part in self._styles if part is not None]
            self.model.generator.track(styles, updater.joined(torch.cat(labels), batch) if labels else None)
        if self._lengths:
            self.path_length_mean = self.running_mean(updater.joined(torch.cat(self._lengths), batch).mean())
        self._styles, self._lengths = [], []
        return logs

    def r1_loss(self, batch: Batch) -> Loss:
        """n · γ/2 E |∇D(x)|² at data (Mescheder et al. 2018, arXiv:1801.04406, eq. 9)."""
        discriminate = partial(self.model.discriminate, labels=self.labels(batch))
        penalty = self.r1 / 2 * squared_gradient_norms(discriminate, batch.inputs).mean()
        return Loss(self.r1_every_n_steps * penalty, batch.size, {"r1": mean_of(penalty, batch)})

    def path_length_loss(self, batch: Batch) -> Loss:
        """n · weight · E (|Jᵀy| - a)², where J is the image's Jacobian in w, y noise and a the running mean (eq. 4).

        Noise is divided by the square root of the number of pixels, so that lengths do not grow with it; |·|² is over
        w, averaged over the layers, each of which has its own w.
        """
        is_whole, batch = batch.size == batch.full_size, batch.split(self.path_length_shrink)[0]
        if is_whole:
            batch = batch._replace(full_size=batch.size)
        with full_precision(batch.inputs):
            styles = self.styles(batch).float()
            images = self.synthesis(styles)
            noise = torch.randn_like(images) / (images.shape[2] * images.shape[3]) ** 0.5
            (gradients,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        lengths = (gradients.square().sum(dim=2).mean(dim=1) + 1e-12).sqrt()  # (B,)
        mean = lengths.detach().mean()
        running = self.running_mean(mean)
        if is_whole:
            self.path_length_mean = running
        else:
            self._lengths.append(lengths.detach())
        penalty = (lengths - running).square().mean()
        logs = {"path_length": mean_of(mean, batch), "path_penalty": mean_of(penalty, batch)}
        return Loss(self.path_length_every_n_steps * self.path_length * penalty, batch.size, logs)

    def running_mean(self, length: Tensor) -> Tensor:
        """The running mean of path lengths after a new step; after the first step, that step's mean."""
        before = self.path_length_mean.to(length.device)
        return torch.where(before > 0, torch.lerp(before, length, self.path_length_decay), length)

    def fakes(self, batch: Batch) -> Tensor:
        return self.synthesis(self.styles(batch))

    def styles(self, batch: Batch) -> Tensor:
        """New mixed styles for a batch, `(B, num_layers, w_dim)`; also updates the mean style."""
        generator, labels = self.model.generator, self.labels(batch)
        styles = self.mapping(self.model.codes(self.model.noise(batch.size), labels))
        if batch.size == batch.full_size:
            generator.track(styles.detach(), labels)
        else:
            self._styles.append((styles.detach(), labels))
        if not self.style_mixing:
            return generator.at_every_layer(styles)
        others = self.mapping(self.model.codes(self.model.noise(batch.size), labels))
        return generator.mixed(styles, others, self.style_mixing)

    @torch.no_grad()
    def decode(self, codes: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0) -> Tensor:
        """Decode codes; see GenerativeTask.decode.

        Args:
            codes: `(N, latent_dim)`.
            labels: int64 `(N,)`.
            truncation: Factor on the distance of w from its mean: 1 is w as drawn, values below 1 give more typical
                samples, 0 the mean itself.
        """
        if labels is None:
            labels = self.cycle_labels(len(codes), codes.device)
        styles = self.mapping(self.model.codes(codes, labels))
        return self.render(self.model.generator.truncated(styles, labels, truncation))

    @torch.no_grad()
    def interpolate(
        self, start: Tensor, end: Tensor, shares: Tensor, labels: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Interpolate on a straight line in w, along which images change evenly due to the path length penalty."""
        if labels is None:
            labels = self.cycle_labels(len(shares), shares.device)
        first, last = (self.mapping(self.model.codes(z.expand(len(shares), -1), labels)) for z in (start, end))
        return self.render(self.truncated(torch.lerp(first, last, shares[:, None]), labels, **options))

    @property
    def num_styles(self) -> int:
        """The number of layers with a style of their own."""
        return self.synthesis.num_layers

    @torch.no_grad()
    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        crossover: int,
        labels: tuple[Tensor | None, Tensor | None] = (None, None),
        **options: Any,
    ) -> Tensor:
        """Style mixing (Karras et al. 2019, arXiv:1812.04948, section 3.1 and figure 3).

        Args:
            coarse: The codes whose styles control the first layers, `(N, latent_dim)`.
            fine: The codes of the others.
            crossover: The number of layers with the coarse styles, 0 to `num_styles`.
            labels: int64 `(N,)`, the classes of both.
            options: Sampling options.
        """
        first, rest = (
            self.truncated(self.mapping(self.model.codes(codes, classes)), classes, **options)
            for codes, classes in zip((coarse, fine), labels, strict=True)
        )
        is_coarse = torch.arange(self.num_styles, device=first.device) < crossover
        return self.render_layers(torch.where(is_coarse[:, None], first[:, None], rest[:, None]))

    def truncated(self, styles: Tensor, labels: Tensor | None, *, truncation: float = 1.0) -> Tensor:
        """Styles `(B, w_dim)` moved towards their mean; see `decode`."""
        return self.model.generator.truncated(styles, labels, truncation)

    def render(self, styles: Tensor) -> Tensor:
        """Images of styles `(B, w_dim)`, in evaluation mode."""
        return self.render_layers(self.model.generator.at_every_layer(styles))

    def render_layers(self, styles: Tensor) -> Tensor:
        """Images of a style for each layer, `(B, num_styles, w_dim)`, in evaluation mode."""
        with evaluation_mode(self.model.generator):
            return self.in_range(self.synthesis(styles))

    @property
    def networks(self) -> dict[str, Network]:
        """Only the generator: D processes several samples together."""
        return {"generator": super().networks["generator"]}

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"path_length_mean": self.path_length_mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.path_length_mean = state["path_length_mean"]
