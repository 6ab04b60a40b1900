"""Denoising diffusion: learn to remove noise, then generate images from noise alone."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.randomness import drawn, generator, normal_quantiles
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import EvaluationOnly, NonNegative, Positive, Probability, register, requires
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.metrics.mean import Mean, MeanOver
from dltool.models.unet import UNet
from dltool.tasks.generative import GenerativeTask
from dltool.tasks.noise_schedule import NoiseSchedule
from dltool.tasks.outputs import ImageTable, Network
from dltool.tasks.task import Loss

NUM_ROWS, NUM_STAGES = 6, 10  # Of the figure of the denoising.


class Step(NamedTuple):
    """What a step of the sampler from x_t to an earlier x_s multiplies, scalars.

    Attributes:
        signal, noise: √ᾱ_t and √(1 - ᾱ_t).
        next_signal: √ᾱ_s.
        towards: Of the predicted noise.
        sigma: Of new noise.
    """

    signal: Tensor
    noise: Tensor
    next_signal: Tensor
    towards: Tensor
    sigma: Tensor


class Stage(NamedTuple):
    """The images of the sampler at a time.

    Attributes:
        time: t, from T to 0.
        images: x_t, `(N, C, H, W)`.
        predicted: The prediction of x_0 from x_t; at t = 0, x_0 itself.
    """

    time: int
    images: Tensor
    predicted: Tensor


@register("task", "diffusion", loss_for="own", pixels="symmetric")
@no_mixing
@requires(
    lambda config: config.task.guidance == 0 or (config.model.condition != "none" and config.task.class_dropout > 0),
    "task.guidance compares predictions with and without a class, but the model is not trained on both",
    hint="model.condition=class task.class_dropout=0.1, or task.guidance=0",
)
@requires(
    lambda config: config.task.sampling_steps <= config.task.num_timesteps,
    "task.sampling_steps is more than task.num_timesteps",
    hint="task.sampling_steps=25",
)
class DiffusionTask(GenerativeTask):
    """Ho, Jain and Abbeel, "Denoising diffusion probabilistic models" (2020, arXiv:2006.11239).

    Training is Algorithm 1 with L_simple (eq. 14): the mean squared error of the network's prediction at a random time
    step. It predicts the noise ε, the image x_0, or v = √ᾱ ε - √(1 - ᾱ) x_0 (Salimans and Ho 2022, arXiv:2202.00512,
    section 4); the error is that of what it predicts, which weights the time steps differently. Where the model is
    conditional, the class of a random share of the images is replaced by "no class".

    Sampling is that of Song, Meng and Ermon (2021, arXiv:2010.02502, eq. 12 and 16), with η = 0 the deterministic DDIM;
    with η = 1 and all time steps it is Algorithm 2 with σ_t² = β̃_t. Predictions of x_0 are clamped to the range of the
    data, as in the authors' code. With guidance w the prediction is (1 + w) ε(x, y) - w ε(x) (Ho and Salimans 2022,
    arXiv:2207.12598, eq. 6), at the cost of a second pass; w = 0 is no guidance.

    A code is the image of noise x_T, `(C, H, W)`. The noise of the steps for η > 0 is a function of the code, so that
    a sample does not depend on the other samples of its batch.

    Logged: "loss". In an evaluation, noise and time step are a function of the position in the split.

    Args:
        num_timesteps: T.
        noise: The amount of noise over time; see NoiseSchedule.
        prediction: What the network predicts.
        class_dropout: Share of images whose class is hidden in training.
        sampling_steps: Time steps of the sampler, evenly spaced; at most T.
        eta: η.
        guidance: w.
        measures: See GenerativeTask.
    """

    model: UNet
    uses = ("generate", "denoise")
    main_metric: ClassVar[tuple[str, str] | None] = ("loss", "min")  # type: ignore[misc]
    collapse_remedy = "task.prediction=epsilon, a smaller optim.lr, or a longer training"

    def __init__(
        self,
        model: UNet,
        loss: None,
        spec: DataSpec,
        *,
        num_timesteps: Positive[int] = 1000,
        noise: Literal["linear", "cosine"] = "cosine",
        prediction: Literal["epsilon", "x", "v"] = "epsilon",
        class_dropout: Probability[float] = 0.1,
        sampling_steps: EvaluationOnly[Positive[int]] = 25,
        eta: EvaluationOnly[Probability[float]] = 1.0,
        guidance: EvaluationOnly[NonNegative[float]] = 0.0,
        **measures: Any,
    ) -> None:
        super().__init__(model, **measures)
        self.spec = spec
        self.num_classes = model.num_classes
        self.schedule = NoiseSchedule(noise, num_timesteps)
        self.prediction = prediction
        self.class_dropout = class_dropout if model.num_classes else 0.0
        self.sampling_steps, self.eta, self.guidance = sampling_steps, eta, guidance
        self.start_evaluation()

    def loss(self, batch: Batch) -> Loss:
        images = batch.inputs
        times = torch.randint(1, self.schedule.num_timesteps + 1, (len(images),), device=images.device)
        loss = self.denoising_loss(images, times, torch.randn_like(images), self.hidden(self.labels(batch)))
        return Loss(loss, batch.size, {"loss": MeanOver(loss.detach(), batch.size)})

    def denoising_loss(self, images: Tensor, times: Tensor, noise: Tensor, labels: Tensor | None) -> Tensor:
        """The mean squared error of the prediction at x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε, a scalar."""
        signal_scale, noise_scale = self.schedule_on(images.device).at(times, images)
        target = {
            "epsilon": noise,
            "x": images,
            "v": signal_scale * noise - noise_scale * images,
        }[self.prediction]
        return F.mse_loss(self.predicted(signal_scale * images + noise_scale * noise, times, labels), target)

    def predicted(self, images: Tensor, times: Tensor, labels: Tensor | None) -> Tensor:
        """The network's output for x_t, in float32."""
        return self.model(images, times / self.schedule.num_timesteps, labels).float()

    def hidden(self, labels: Tensor | None) -> Tensor | None:
        """The classes, a random share of them replaced by "no class"."""
        if labels is None:
            return None
        return labels.masked_fill(torch.rand(len(labels), device=labels.device) < self.class_dropout, self.num_classes)

    def schedule_on(self, device: torch.device) -> NoiseSchedule:
        return self.schedule if self.schedule.signal.device == device else self.schedule.to(device)

    def start_evaluation(self) -> None:
        super().start_evaluation()
        self.draws = generator(0, "diffusion evaluation")

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        self.show_sample_evaluator(batch)
        images = batch.inputs
        table = torch.rand(len(images), 1 + images[0].numel(), generator=self.draws, dtype=torch.float64)
        times = (1 + (table[:, 0] * self.schedule.num_timesteps).long()).to(images.device)
        noise = normal_quantiles(table[:, 1:]).to(images.device).view(images.shape)
        loss = self.denoising_loss(images, times, noise, self.labels(batch))
        return {"loss": MeanOver(loss, batch.size)}

    def draw_codes(self, count: int, source: torch.Generator | None = None) -> Tensor:
        device = next(self.model.parameters()).device
        return drawn(torch.randn, (count, *self.spec.input_shape), source, device)

    @torch.no_grad()
    def decode(
        self,
        codes: Tensor,
        labels: Tensor | None = None,
        *,
        guidance: NonNegative[float] | None = None,
        steps: Positive[int] | None = None,
        eta: Probability[float] | None = None,
    ) -> Tensor:
        """Denoise images of noise; see GenerativeTask.decode.

        Args:
            codes: `(N, C, H, W)`.
            labels: int64 `(N,)`.
            guidance: Weight w of the class in classifier-free guidance; 0 is none. Default: task.guidance.
            steps: Number of time steps; fewer are faster. Default: task.sampling_steps.
            eta: Share of new noise in each step: 0 is DDIM, 1 is DDPM. Default: task.eta.
        """
        *_, last = self.stages(codes, labels, guidance=guidance, steps=steps, eta=eta)
        return last.images

    def stages(
        self,
        codes: Tensor,
        labels: Tensor | None = None,
        *,
        guidance: float | None = None,
        steps: int | None = None,
        eta: float | None = None,
    ) -> Iterator[Stage]:
        """The steps of the sampler; arguments as for `decode`."""
        guidance = self.guidance if guidance is None else guidance
        steps, eta = steps or self.sampling_steps, self.eta if eta is None else eta
        self.check_options(guidance, steps)
        if labels is None:
            labels = self.cycle_labels(len(codes), codes.device)
        draw = noise_of(codes) if eta > 0 else torch.zeros_like
        schedule, images = self.schedule_on(codes.device), codes
        times = schedule.subset(steps)
        for time, after in pairwise(times):
            step = sampler_step(schedule, time, after, eta)
            x0 = self.denoised(images, time, labels, guidance)
            yield Stage(time, images, x0)
            epsilon = (images - step.signal * x0) / step.noise
            images = step.next_signal * x0 + step.towards * epsilon + step.sigma * draw(images)  # Eq. 12.
        yield Stage(0, images, images)

    def sampler(self) -> dict[str, Any]:
        steps = []
        for time, after in pairwise(self.schedule.subset(self.sampling_steps)):
            numbers = sampler_step(self.schedule, time, after, self.eta)._asdict()
            level = time / self.schedule.num_timesteps
            steps.append({"time": level, **{name: value.item() for name, value in numbers.items()}})
        limits = None if self.spec.input_range is None else [*self.spec.input_range]
        return {"steps": steps, "prediction": self.prediction, "guidance": self.guidance, "range": limits}

    def check_options(self, guidance: float, steps: int) -> None:
        """Raise ConfigError for sampling options that the training does not allow."""
        if guidance > 0 and not self.class_dropout:
            raise ConfigError(
                f"guidance={guidance:g}: the model was not trained both with and without classes",
                "guidance=0, or train with model.condition=class task.class_dropout=0.1",
            )
        if steps > self.schedule.num_timesteps:
            raise ConfigError(
                f"steps={steps}: the training had {self.schedule.num_timesteps} time steps",
                f"steps={self.schedule.num_timesteps}",
            )

    def denoised(self, images: Tensor, time: int, labels: Tensor | None, guidance: float) -> Tensor:
        """The prediction of x_0 from x_t, in the range of the data."""
        times = torch.full((len(images),), time, device=images.device)
        a, b = self.schedule.signal[time], self.schedule.noise[time]
        with evaluation_mode(self.model):
            epsilon = self.noise_in(images, times, labels)
            if guidance:
                no_class = torch.full_like(times, self.num_classes)
                epsilon = (1 + guidance) * epsilon - guidance * self.noise_in(images, times, no_class)
        x0 = (images - b * epsilon) / a
        return x0 if self.spec.input_range is None else x0.clamp(*self.spec.input_range)

    def noise_in(self, images: Tensor, times: Tensor, labels: Tensor | None) -> Tensor:
        """The prediction of ε from x_t, whatever the network predicts."""
        output = self.predicted(images, times, labels)
        a, b = self.schedule.at(times, images)
        match self.prediction:
            case "x":
                return (images - a * output) / b
            case "v":
                return a * output + b * images
        return output

    def image_tables(self) -> Mapping[str, Callable[[], ImageTable]]:
        return {"denoising": self.denoising_table}

    def denoising_table(self) -> ImageTable:
        """x_t of a few samples at some time steps, and below each the prediction of x_0 from it."""
        stages = list(self.stages(self.draw_codes(NUM_ROWS // 2, generator(0, "samples"))))
        shown = [stages[i] for i in torch.linspace(0, len(stages) - 1, NUM_STAGES).round().long().unique().tolist()]
        noisy, predicted = (
            torch.stack(part, dim=1) for part in zip(*((stage.images, stage.predicted) for stage in shown), strict=True)
        )
        images = torch.stack((noisy, predicted), dim=1).flatten(0, 1)  # (N, 2, K, C, H, W) -> (2 N, K, C, H, W)
        times = [f"t={stage.time}" for stage in shown]
        return ImageTable(images, ["x_t", "x_0 from it"] * len(noisy), times, "denoising")

    @property
    def networks(self) -> dict[str, Network]:
        """One step of a sampler: the network, with all its inputs in one tensor."""
        predicted = {"epsilon": "the noise in the image", "x": "the image without noise", "v": "v"}[self.prediction]
        classes = f", and the class as {self.num_classes} one-hot maps (all 0: no class)" if self.num_classes else ""
        takes = f"an image with noise, a map of t / T{classes}; maps are constant over the pixels"
        module = Denoiser(self.model, self.spec.input_shape[0])
        return {"denoiser": Network(module, noise=self.inputs_to_export, takes=takes, gives=predicted)}

    def inputs_to_export(self, count: int) -> Tensor:
        """Inputs of the denoiser, the same each time, `(count, C + 1 + num_classes, H, W)`."""
        images = self.draw_codes(count, generator(0, "diffusion export"))
        levels = torch.linspace(1, 0, count, device=images.device)[:, None]  # (N, 1)
        labels = self.cycle_labels(count, images.device)
        constants = levels if labels is None else torch.cat((levels, F.one_hot(labels, self.num_classes)), dim=1)
        return torch.cat((images, constants[:, :, None, None].expand(-1, -1, *images.shape[2:])), dim=1)


def sampler_step(schedule: NoiseSchedule, time: int, after: int, eta: float) -> Step:
    a, b = schedule.signal[time], schedule.noise[time]
    next_a, next_b = schedule.signal[after], schedule.noise[after]
    sigma = eta * next_b / b * (1 - (a / next_a) ** 2).clamp(min=0).sqrt()  # Eq. 16.
    return Step(a, b, next_a, (next_b**2 - sigma**2).clamp(min=0).sqrt(), sigma)


class Denoiser(nn.Module):
    """A U-Net that takes its inputs as one tensor: the image, then maps of t / T and of the one-hot class.

    Args:
        model: The network.
        num_channels: Channels of the image.
    """

    def __init__(self, model: UNet, num_channels: int) -> None:
        super().__init__()
        self.model = model
        self.num_channels = num_channels

    def forward(self, inputs: Tensor) -> Tensor:
        """The prediction `(B, C, H, W)` for `(B, C + 1 + num_classes, H, W)`."""
        images, maps = inputs.tensor_split([self.num_channels], dim=1)
        times, classes = maps[:, 0, 0, 0], maps[:, 1:, 0, 0]
        if not self.model.num_classes:
            return self.model(images, times)
        labels = torch.where(classes.sum(dim=1) > 0.5, classes.argmax(dim=1), self.model.num_classes)
        return self.model(images, times, labels)


def noise_of(codes: Tensor) -> Callable[[Tensor], Tensor]:
    """Draws of N(0, 1) for each sample from a generator of its own, seeded by its code."""
    sources = [generator(0, "diffusion", code.tobytes().hex()) for code in codes.float().cpu().numpy()]

    def draw(images: Tensor) -> Tensor:
        draws = [torch.randn(images.shape[1:], generator=source) for source in sources]
        return torch.stack(draws).to(images.device)

    return draw
