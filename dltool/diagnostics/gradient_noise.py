"""The gradient noise scale of a task: how large a batch still gains from more samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.diagnostics.probe import LayerCall, Probe, weights_of


class GradientNoise(NamedTuple):
    """How much the gradients of single samples differ (McCandlish et al. 2018, arXiv:1812.06162, appendix A.1).

    Attributes:
        trace: tr Σ, the variance of a sample's gradient, summed over the weights; the unbiased estimate.
        square_norm: ‖G‖² of the expected gradient, without bias: ‖mean‖² - tr Σ / n; noise can make it negative.
    """

    trace: float
    square_norm: float

    @property
    def scale(self) -> float:
        """tr Σ / ‖G‖², in samples: far larger batches hardly reduce the steps; NaN if ‖G‖² is lost in the noise."""
        return self.trace / self.square_norm if self.square_norm > 0 else math.nan

    def record(self) -> dict[str, float]:
        """For layers.jsonl."""
        return {"trace": self.trace, "square_norm": self.square_norm, "scale": self.scale}


def noise_of(gradients: Sequence[Tensor]) -> GradientNoise:
    """The noise of the gradients of single samples.

    Args:
        gradients: At least two, each flat.
    """
    count = len(gradients)
    mean = torch.stack(list(gradients)).double().mean(0)
    squares = sum(float(gradient.double().square().sum()) for gradient in gradients)
    trace = (squares - count * float(mean.square().sum())) / (count - 1)
    return GradientNoise(trace, float(mean.square().sum()) - trace / count)


def mixes_samples(network: nn.Module) -> bool:
    """Whether a sample's output depends on the others of its batch, so that no gradient belongs to it alone."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


def gradient_noise(probe: Probe) -> GradientNoise | None:
    """The noise over the samples of a probe, in the gradient of the layers' weights without biases.

    Each sample is a step of its own, so that this costs as many steps as there are samples.

    Returns:
        None for a task with several roles, a network that mixes the samples of a batch, or a single sample.
    """
    if len(probe.autocasts) != 1 or probe.batch.size < 2 or mixes_samples(probe.task.model):
        return None
    gradients: list[Tensor] = []
    for place in range(probe.batch.size):
        one = replace(probe, batch=sample(probe.batch, place), seed=place)  # Dropout differs from sample to sample.
        (measured,) = one.measure().values()
        flat = flat_gradient(measured.calls)
        if flat is None or (gradients and len(flat) != len(gradients[0])):
            return None  # A layer that only some samples use.
        gradients.append(flat)
    return noise_of(gradients)


def flat_gradient(calls: Sequence[LayerCall]) -> Tensor | None:
    """The gradient of all layers' weights, each layer once; None if there is none."""
    layers: Mapping[str, LayerCall] = {call.name: call for call in calls}
    parts = [g.flatten() for call in layers.values() for g in call.weight_gradient or () if weights_of(call.module)]
    return torch.cat(parts).float() if parts else None


def sample(batch: Batch, place: int) -> Batch:
    """A batch of one sample."""
    row = slice(place, place + 1)
    labels = batch.labels and (batch.labels[0][row], batch.labels[1][row])
    return batch._replace(inputs=batch.inputs[row], targets=batch.targets[row], full_size=1, labels=labels)
