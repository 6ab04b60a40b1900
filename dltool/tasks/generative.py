"""The base of tasks whose models generate samples from codes."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.core.spec import DataSpec
from dltool.declarations.component import EvaluationOnly, Positive
from dltool.metrics.of_samples import SampleMetrics
from dltool.tasks.outputs import Suggestion
from dltool.tasks.task import Task


class GenerativeTask(Task):
    """Base of the tasks whose models generate samples x from codes z.

    A code is a tensor of any shape: noise `(latent_dim,)` for a GAN, an image of noise `(C, H, W)` for diffusion. A
    sample is a function of its code, its class and the sampling options, not of the other samples of a batch.

    The keyword-only arguments of `decode` are the task's sampling options: `dltool sample` offers them as flags, and
    dltool.declarations.sampling_options reads their types and ranges from the source text.

    Args:
        metrics: Sample metrics of an evaluation (dltool.metrics.of_samples); null for none. The best checkpoint is
            chosen by a distance among them if the task has no other main metric.
        num_samples: Number of samples for them, limited to the size of the held-out data; "auto" is at most 10,000.
        features: "lenet", a classifier that dltool trains on the data, or the path of a file of Inception's weights.

    Attributes:
        collapse_remedy: What to try when all samples are nearly identical, for a warning.
    """

    uses: tuple[str, ...] = ("generate",)
    main_metric: tuple[str, str] | None = None
    collapse_remedy: ClassVar[str] = "a smaller optim.lr"

    def __init__(
        self,
        model: nn.Module,
        *,
        metrics: EvaluationOnly[list[str] | None] = None,
        num_samples: EvaluationOnly[Positive[int] | Literal["auto"]] = "auto",
        features: EvaluationOnly[str] = "lenet",
    ) -> None:
        super().__init__(model)
        self.sample_metrics = SampleMetrics.of(metrics, num_samples, features)
        self.main_metric = self.main_metric or self.sample_metrics.main

    def suggestion(self, spec: DataSpec) -> Suggestion:
        return Suggestion("sample", "sample")

    def labels(self, batch: Batch) -> Tensor | None:
        """The class of each sample of a batch, int64 `(B,)`; None for an unconditional model."""
        return batch.targets if self.num_classes else None

    def draw_codes(self, count: int, source: torch.Generator | None = None) -> Tensor:
        """Draw codes z, `(count, *code_shape)`, on the model's device.

        Args:
            count: The number of codes.
            source: A generator on the CPU, for the same codes on every device; None uses the default generator of the
                model's device.
        """
        raise NotImplementedError

    def decode(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Decode codes to samples, `(N, *input_shape)`, scaled as the data; without gradients, in evaluation mode.

        Args:
            codes: `(N, *code_shape)`.
            labels: int64 `(N,)`, the class of each; None: a conditional model cycles through the classes.
        """
        raise NotImplementedError

    def interpolate(
        self, start: Tensor, end: Tensor, shares: Tensor, labels: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Samples on the path from one code to another.

        Args:
            start: A code, `(*code_shape,)`.
            end: Another.
            shares: Positions between start and end, in [0, 1], `(N,)`.
            labels: int64 `(N,)`.
            options: Sampling options.
        """
        return self.decode(slerp(start, end, shares), labels, **options)

    def cycle_labels(self, count: int, device: torch.device) -> Tensor | None:
        """0, 1, 2, … and 0 again, int64 `(count,)`; None where the model is unconditional."""
        return torch.arange(count, device=device) % self.num_classes if self.num_classes else None

    def samples(self, count: int) -> Tensor:
        """Samples of fixed codes, so that figures of different epochs, runs or devices show the same points of the
        latent space; their noise is seeded by a name, not by the run's seed."""
        return self.decode(self.draw_codes(count, generator(0, "samples")))

    def draw(self, count: int) -> tuple[Tensor, Tensor | None]:
        """New samples for the sample evaluator, with codes from the default generator, and the requested classes."""
        codes = self.draw_codes(count)
        labels = self.cycle_labels(count, codes.device)
        return self.decode(codes, labels), labels

    def start_evaluation(self) -> None:
        super().start_evaluation()
        if self.sample_evaluator is not None:
            self.sample_evaluator.start(self.split)

    def show_sample_evaluator(self, batch: Batch) -> None:
        """Pass an evaluation batch to the sample evaluator, if there is one."""
        if self.sample_evaluator is not None:
            self.sample_evaluator.see(batch)

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        """The metrics, with those of the sample evaluator if there is one."""
        if self.sample_evaluator is None:
            return metrics
        values = metrics | self.sample_evaluator.measure(self.draw)
        self.undefined = self.sample_evaluator.undefined
        return values

    @property
    def remarks(self) -> list[str]:
        return [] if self.sample_evaluator is None else self.sample_evaluator.remarks


def slerp(start: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """Spherical interpolation (Shoemake 1985; for latent spaces White 2016, arXiv:1609.04468, section 2.1).

    The mean of two normal draws in many dimensions is shorter than either, in a region without training samples; along
    the great circle the length is kept. Norms are interpolated linearly.

    Args:
        start: A code of any shape, `(*code_shape,)`.
        end: Another.
        shares: In [0, 1], `(N,)`.

    Returns:
        `(N, *code_shape)`.
    """
    shape, start, end, shares = start.shape, start.flatten(), end.flatten(), shares[:, None]
    lengths = torch.lerp(start.norm(), end.norm(), shares)
    a, b = (vector / vector.norm().clamp(min=1e-12) for vector in (start, end))
    angle = torch.acos((a @ b).clamp(-1, 1))
    if angle.sin() < 1e-4:  # The same direction, or opposite ones between which no circle is shortest.
        return torch.lerp(start, end, shares).unflatten(1, shape)
    path = lengths * (((1 - shares) * angle).sin() * a + (shares * angle).sin() * b) / angle.sin()
    return path.unflatten(1, shape)  # (N, D) -> (N, *code_shape)
