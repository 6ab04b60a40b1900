"""A network for export: its pre- and postprocessing, and descriptions of its inputs and outputs."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.outputs import Network
from dltool.tasks.task import Task
from dltool.tasks.uses import writes_text


@dataclass(frozen=True)
class Portable:
    """A network on the CPU, in evaluation mode and in float32.

    Attributes:
        name: "model", or the name of one of several networks.
        module: Maps one tensor to one tensor, batch first.
        samples: Returns a given number of inputs, always the same.
        takes, gives: Descriptions of the inputs and the outputs.
    """

    name: str
    module: nn.Module
    samples: Callable[[int], Tensor]
    takes: str
    gives: str
    _example: Tensor = field(repr=False)

    @classmethod
    def of(cls, name: str, module: nn.Module, samples: Callable[[int], Tensor], takes: str, gives: str) -> "Portable":
        module = copy.deepcopy(module).eval().cpu().requires_grad_(False)
        with torch.no_grad():
            return cls(name, module, samples, takes, gives, module(samples(2)))

    def description(self) -> dict[str, Any]:
        """Name, type, shape and meaning of inputs and outputs, as JSON."""
        described = {}
        for kind, tensor, meaning in (("inputs", self.samples(1), self.takes), ("outputs", self._example, self.gives)):
            dtype = str(tensor.dtype).removeprefix("torch.")
            described[kind] = {"name": kind, "dtype": dtype, "shape": ["batch", *tensor.shape[1:]], "meaning": meaning}
        return described


def bare_networks(run: LoadedRun) -> list[Portable]:
    """All networks of a run, without pre- and postprocessing."""
    return [bare(name, network, run) for name, network in run.task.networks.items()]


def chosen_network(run: LoadedRun, name: str | None, *, with_preprocessing: bool, probabilities: bool) -> Portable:
    """One network of a run, with the requested pre- and postprocessing.

    Raises:
        ConfigError: No such network exists, or it does not support the preprocessing or the probabilities.
    """
    networks = run.task.networks
    name = next(iter(networks)) if name is None else name
    if name not in networks:
        raise ConfigError(
            f"{run.title} has no network {name}", " or ".join(f"--network {quoted(name)}" for name in networks)
        )
    portable = bare(name, networks[name], run)
    if writes_text(run.task):
        raise ConfigError(
            "a graph computes once, but a text is generated token by token", "--format safetensors; or dltool predict"
        )
    if run.spec.target_mean and not networks[name].gives:
        portable = giving_units(portable, run.spec)
    if probabilities:
        portable = giving_probabilities(portable, run.task, run.spec)
    if with_preprocessing:
        if networks[name].noise is not None:
            raise ConfigError(f"the {name} takes noise, which has no preprocessing", "without --with-preprocessing")
        portable = taking_raw_inputs(portable, run.preprocessing)
    return portable


def bare(name: str, network: Network, run: LoadedRun) -> Portable:
    """The network alone; it takes preprocessed inputs."""

    def samples(count: int) -> Tensor:
        drawn = run.preprocessing.example_inputs(count) if network.noise is None else network.noise(count)
        return drawn.cpu()

    takes = network.takes or run.preprocessing.describe()
    gives = network.gives or meaning_of_outputs(run.spec)
    return Portable.of(name, network.module, samples, takes, gives)


def meaning_of_outputs(spec: DataSpec) -> str:
    if spec.target == "numbers":
        return f"the predicted numbers{', each as (number - target_mean) / target_std' if spec.target_mean else ''}"
    if spec.num_target_tokens:
        return "at each position a score of each token, in the order of the vocabulary; the largest is predicted"
    if spec.target == "tags":
        return "at each position a score of each class, in the order of class_names; the largest is predicted"
    if spec.target == "labels":
        return "a score of each label, in the order of class_names; above 0 (probability 0.5) it is predicted"
    if spec.output_dim == 1:
        return f"a score; above 0 means {spec.class_names[1]}, else {spec.class_names[0]}"
    return "a score of each class, in the order of class_names; the largest is predicted"


def giving_units(portable: Portable, spec: DataSpec) -> Portable:
    """The network with its numbers in the units of the data."""
    network = nn.Sequential(portable.module, Units(spec))
    return Portable.of(portable.name, network, portable.samples, portable.takes, "the predicted numbers")


def giving_probabilities(portable: Portable, task: Task, spec: DataSpec) -> Portable:
    probabilities = task.probabilities
    meaning = "the probability of each class, in the order of class_names"
    if spec.target == "labels":
        meaning = "the probability of each label, in the order of class_names; above 0.5 it is predicted"
    if probabilities is None or probabilities(portable.module(portable.samples(1))) is None:
        raise ConfigError("the outputs of this model define no probabilities", "without --probabilities")
    return Portable.of(
        portable.name,
        nn.Sequential(portable.module, Probabilities(probabilities)),
        portable.samples,
        portable.takes,
        meaning,
    )


def taking_raw_inputs(portable: Portable, preprocessing: Preprocessing) -> Portable:
    """The network after the preprocessing.

    Raises:
        ConfigError: The preprocessing cannot be part of a graph, which has no texts.
    """
    front = preprocessing.raw_front()
    return Portable.of(
        portable.name, nn.Sequential(front.module, portable.module), front.samples, front.takes, portable.gives
    )


class Units(nn.Module):
    """Standardized numbers `(B, target_dim)` in their units, float64; see DataSpec.in_units."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(spec.target_mean, dtype=torch.float64))
        self.register_buffer("std", torch.tensor(spec.target_std, dtype=torch.float64))

    def forward(self, outputs: Tensor) -> Tensor:
        return outputs.double() * self.std + self.mean


class Probabilities(nn.Module):
    """The probabilities `(B, num_classes)` that a criterion defines for outputs `(B, output_dim)`."""

    def __init__(self, probabilities: Callable[[Tensor], Tensor | None]) -> None:
        super().__init__()
        self.probabilities = probabilities

    def forward(self, outputs: Tensor) -> Tensor:
        found = self.probabilities(outputs)
        assert found is not None
        return found
