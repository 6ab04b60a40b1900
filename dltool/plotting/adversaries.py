"""A GAN on data of one or two numbers, in the units of the data."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from dltool.core.randomness import generator
from dltool.diagnostics.store import read_points
from dltool.plotting.subject import Subject
from dltool.tasks.outputs import Adversaries


@dataclass(frozen=True)
class PlottedGame:
    """G and D of a run, with the weights that its model has when a method is called.

    Attributes:
        subject: The run.
    """

    subject: Subject

    @property
    def adversaries(self) -> Adversaries:
        found = self.subject.task.adversaries
        assert found is not None
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the data's numbers."""
        return self.subject.preprocessing.input_names

    @cached_property
    def points(self) -> np.ndarray:
        """The kept training points, `(N, D)`."""
        kept = read_points(self.subject.folder)
        assert kept is not None
        return self.raw(kept["inputs"])

    def raw(self, scaled: Tensor) -> np.ndarray:
        """Samples `(N, D)` in the data's units, float64."""
        numbers = self.subject.preprocessing.raw_numbers(scaled)
        assert numbers is not None
        array: np.ndarray = numbers.numpy()
        return array

    def samples(self, count: int) -> np.ndarray:
        """G's samples of the same noise each time, `(count, D)`."""
        game = self.adversaries
        return self.generated(game.noise(count, generator(0, "game figure")))

    def generated(self, z: Tensor) -> np.ndarray:
        """G(z) `(N, D)` for noise `(N, latent_dim)`."""
        device = next(self.adversaries.generator.parameters()).device
        return self.raw(self.adversaries.generate(z.to(device)))

    def judged(self, raw: np.ndarray) -> tuple[np.ndarray, bool]:
        """D at samples `(N, D)`, `(N,)`, and whether that is a probability of data; else a critic's score."""
        outputs = self.adversaries.discriminate(self.subject.inputs(raw))
        probabilities = self.adversaries.probabilities(outputs)
        values = outputs if probabilities is None else probabilities
        array: np.ndarray = values.double().cpu().numpy()
        return array, probabilities is not None

    def normal_samples(self) -> tuple[float, float] | None:
        """Mean and standard deviation of one generated number where it is exactly normal: G is affine, z normal."""
        game = self.adversaries
        if game.prior != "normal" or not is_affine(game.generator):
            return None
        units = torch.cat([torch.zeros(1, game.latent_dim), torch.eye(game.latent_dim)])
        mean, *ends = self.generated(units)[:, 0].tolist()
        return mean, float(np.linalg.norm(np.array(ends) - mean))


def is_affine(network: torch.nn.Module) -> bool:
    """Whether a network consists of linear maps alone."""
    kinds = (torch.nn.Linear, torch.nn.Flatten, torch.nn.Unflatten, torch.nn.Identity)
    return all(isinstance(part, kinds) for part in network.modules() if not list(part.children()))
