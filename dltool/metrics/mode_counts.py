"""How many classes a generative model's samples cover, and how evenly."""

import math

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.metric import State
from dltool.metrics.sample_metric import Images, SampleMetric


class ClassCounts(SampleMetric):
    """Base class of the metrics that count how often a classifier predicts each class for samples.

    Attributes:
        counts: int64 `(K,)`.
    """

    def reset(self) -> None:
        self.counts = torch.zeros(self.context.num_classes, dtype=torch.int64)

    def update(self, samples: Images, held_out: Images) -> None:
        del held_out  # Held-out data has all classes.
        self.counts += samples.classes.cpu().long().bincount(minlength=len(self.counts))

    def state(self) -> State:
        return {"counts": self.counts.clone()}

    def merge_state(self, state: State) -> None:
        self.counts += state["counts"].cpu()


@register("metric", "modes", of="samples", needs="classes", direction="max")
class Modes(ClassCounts):
    """The number of classes with at least one sample (Metz et al. 2017, arXiv:1611.02163, section 3.3.1).

    Classes predicted by mistake count too.
    """

    def compute(self) -> float:
        return num_modes(self.counts)


@register("metric", "kl_to_uniform", of="samples", needs="classes", direction="min")
class KlToUniform(ClassCounts):
    """KL(p || uniform) of the shares p of the classes among samples (Srivastava et al. 2017, arXiv:1705.07761,
    section 4.1); see kl_to_uniform.
    """

    def compute(self) -> float:
        return kl_to_uniform(self.counts)


def num_modes(counts: Tensor) -> float:
    """The number of nonzero counts in `(K,)`."""
    return float((counts > 0).sum())


def kl_to_uniform(counts: Tensor) -> float:
    """KL divergence of the shares of K counts `(K,)` from 1/K, in nats: 0 if all are equal, log K for one class."""
    counts = counts.double()
    shares = counts[counts > 0] / counts.sum()
    return float((shares * shares.log()).sum()) + math.log(len(counts))
