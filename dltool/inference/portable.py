"""A network for export: its pre- and postprocessing, and descriptions of its inputs and outputs."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.core.spec import BEGIN, PAD, DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.inference.graph_input import GraphInput, fixed_input, token_input
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.outputs import Network
from dltool.tasks.task import Task

BATCH_SIZES = (1, 7)  # For the check: the smallest, and one that was not used for tracing.
SEQUENCE_BATCH_SIZES = (1, 3)  # The same where the length varies too: the outputs for long ones are large.


@dataclass(frozen=True)
class Portable:
    """A network on the CPU, in evaluation mode and in float32.

    Attributes:
        name: "model", or the name of one of several networks.
        module: Maps tensors to one tensor, batch first.
        inputs: Its arguments.
        gives: A description of the outputs.
    """

    name: str
    module: nn.Module
    inputs: tuple[GraphInput, ...]
    gives: str
    _example: Tensor = field(repr=False)

    @classmethod
    def of(cls, name: str, module: nn.Module, samples: Callable[[int], Tensor], takes: str, gives: str) -> "Portable":
        """A network with one input of a fixed shape."""
        return cls.taking(name, module, (fixed_input(samples, takes),), gives)

    @classmethod
    def taking(cls, name: str, module: nn.Module, inputs: tuple[GraphInput, ...], gives: str) -> "Portable":
        module = copy.deepcopy(module).eval().cpu().requires_grad_(False)
        with torch.no_grad():
            return cls(name, module, inputs, gives, module(*(part.samples(2, part.traced_length) for part in inputs)))

    def followed_by(self, module: nn.Module, gives: str) -> "Portable":
        """This network with another one on its outputs."""
        return Portable.taking(self.name, Followed(self.module, module), self.inputs, gives)

    def examples(self) -> tuple[Tensor, ...]:
        """The inputs for tracing."""
        return tuple(part.samples(2, part.traced_length) for part in self.inputs)

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """The inputs of the check: batches of several sizes and lengths."""
        dynamic = any(part.axis for part in self.inputs)
        lengths = [part.lengths for part in self.inputs]
        for place in range(max(map(len, lengths))):
            # The longest of one input with the shortest of the next.
            chosen = [
                row[place % len(row)] if i % 2 == 0 else row[-1 - place % len(row)] for i, row in enumerate(lengths)
            ]
            for size in SEQUENCE_BATCH_SIZES if dynamic else BATCH_SIZES:
                yield tuple(part.samples(size, length) for part, length in zip(self.inputs, chosen, strict=True))

    def description(self) -> dict[str, Any]:
        """Name, type, shape and meaning of inputs and outputs, as JSON; "max_length" where the length has a limit."""
        described = {}
        for part, tensor in zip(self.inputs, self.examples(), strict=True):
            described[part.name] = described_tensor(part.name, tensor, part.shape(), part.takes)
            if part.axis and part.max_length is not None:
                described[part.name]["max_length"] = part.max_length
        shape = ["batch", *self._example.shape[1:]]
        if axis := self.output_axis:
            shape[1] = axis
        return described | {"outputs": described_tensor("outputs", self._example, shape, self.gives)}

    @property
    def output_axis(self) -> str:
        """The name of dimension 1 of the outputs if it is the length of the last input; empty if it is fixed."""
        last = self.inputs[-1]
        if not last.axis or self._example.ndim < 3:
            return ""
        return last.axis


class Followed(nn.Module):
    """A network of one or more inputs, and a second one on its outputs."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, inputs: Tensor, target_inputs: Tensor | None = None) -> Tensor:
        outputs = self.first(inputs) if target_inputs is None else self.first(inputs, target_inputs)
        return self.second(outputs)


def described_tensor(name: str, tensor: Tensor, shape: list[Any], meaning: str) -> dict[str, Any]:
    return {"name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": shape, "meaning": meaning}


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

    gives = network.gives or meaning_of_outputs(run.spec)
    return Portable.taking(name, network.module, (first_input(network, run), *target_inputs(network, run)), gives)


def first_input(network: Network, run: LoadedRun) -> GraphInput:
    takes = network.takes or run.preprocessing.describe()
    if network.noise is None and run.spec.num_tokens:
        return token_input(
            "inputs",
            takes,
            num_tokens=run.spec.num_tokens,
            max_length=None if run.task.takes_any_length else run.spec.input_shape[0],
            padded=run.spec.padded,
            axis="length",
        )

    def samples(count: int) -> Tensor:
        drawn = run.preprocessing.example_inputs(count) if network.noise is None else network.noise(count)
        return drawn.cpu()

    return fixed_input(samples, takes)


def target_inputs(network: Network, run: LoadedRun) -> list[GraphInput]:
    """The second input of a network that continues a text: the tokens so far."""
    if not network.reads_target:
        return []
    takes = f"the text so far, from {BEGIN} (<bos>), right-padded with {PAD}; preprocessing.json has the vocabulary"
    return [
        token_input(
            "target_inputs",
            takes,
            num_tokens=run.spec.num_target_tokens,
            max_length=None if run.task.takes_any_length else run.spec.max_target_length,
            padded=True,
            axis="target_length",
        )
    ]


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
    return portable.followed_by(Units(spec), "the predicted numbers")


def giving_probabilities(portable: Portable, task: Task, spec: DataSpec) -> Portable:
    probabilities = task.probabilities
    meaning = "the probability of each class, in the order of class_names"
    if spec.target == "labels":
        meaning = "the probability of each label, in the order of class_names; above 0.5 it is predicted"
    if probabilities is None or probabilities(portable.module(*portable.examples())) is None:
        raise ConfigError("the outputs of this model define no probabilities", "without --probabilities")
    return portable.followed_by(Probabilities(probabilities), meaning)


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
