"""A network as it is taken elsewhere: what is put before and behind it, and in words what goes in and comes out."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dltool.core.errors import ConfigError
from dltool.core.randomness import generator
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.preprocessing import Preprocessing
from dltool.data.resize import is_padding
from dltool.data.series_preprocessing import SeriesPreprocessing
from dltool.data.table_preprocessing import CategoryColumn, NumberColumn, TablePreprocessing
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Network, Task
from dltool.tasks.translation import TranslationTask

if TYPE_CHECKING:
    from dltool.inference.run import Run

NAMED = 8  # Columns; preprocessing has all of them.
NUM_TOKENS = 16  # Length of the texts that an export is tried on.


@dataclass(frozen=True)
class Portable:
    """A network on the CPU, in evaluation mode and in float32.

    Attributes:
        name: "model", or that of one of several networks.
        module: Takes one tensor and gives one, the batch in front.
        samples: Gives any number of inputs, always the same.
        takes, gives: What goes in and what comes out, in words.
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


def bare_networks(run: "Run") -> list[Portable]:
    """All networks of a run, as they are."""
    return [bare(name, network, run) for name, network in run.task.networks.items()]


def chosen_network(run: "Run", name: str | None, *, with_preprocessing: bool, probabilities: bool) -> Portable:
    """One network of a run, with what shall be in front of it and behind it.

    Raises:
        ConfigError: There is no such network, or it takes or gives something else.
    """
    networks = run.task.networks
    name = next(iter(networks)) if name is None else name
    if name not in networks:
        raise ConfigError(
            f"{run.title} has no network {name}", " or ".join(f"--network {quoted(name)}" for name in networks)
        )
    portable = bare(name, networks[name], run)
    if isinstance(run.task, TranslationTask):
        raise ConfigError(
            "a graph computes once, and a text is written token by token", "--format safetensors; or dltool predict"
        )
    if run.spec.target_mean and not networks[name].gives:
        portable = giving_units(portable, run.spec)
    if probabilities:
        portable = giving_probabilities(portable, run.task)
    if with_preprocessing:
        if networks[name].noise is not None:
            raise ConfigError(
                f"the {name} takes noise, for which there is no preprocessing", "without --with-preprocessing"
            )
        portable = taking_raw_inputs(portable, run.preprocessing)
    return portable


def bare(name: str, network: Network, run: "Run") -> Portable:
    """The network alone: it takes prepared inputs."""

    def samples(count: int) -> Tensor:
        drawn = prepared_samples(run.preprocessing, count) if network.noise is None else network.noise(count)
        return drawn.cpu()

    takes = network.takes or meaning_of_prepared(run.preprocessing)
    gives = network.gives or meaning_of_outputs(run.spec)
    return Portable.of(name, network.module, samples, takes, gives)


def meaning_of_prepared(preprocessing: Preprocessing) -> str:
    if isinstance(preprocessing, ImagePreprocessing):
        height, width = preprocessing.size
        return f"images of {height}×{width}, each channel as (pixel - shift) * factor, pixels 0 to 255"
    if isinstance(preprocessing, TextPreprocessing):
        return "tokens, 0 behind shorter texts; preprocessing.json has the vocabulary"
    if isinstance(preprocessing, SeriesPreprocessing):
        return f"windows of {preprocessing.window} rows, each column as (number - shift) * factor"
    numbers = "the columns in order, each as (number - shift) * factor"
    if any(isinstance(column, CategoryColumn) for column in preprocessing.columns):
        return f"{numbers}; categories as an input for each, 1 for that of the row and 0 for the others"
    return numbers


def meaning_of_outputs(spec: DataSpec) -> str:
    if spec.target == "numbers":
        return f"the predicted numbers{', each as (number - target_mean) / target_std' if spec.target_mean else ''}"
    if spec.num_target_tokens:
        return "at each position a score of each token, in the order of the vocabulary; the largest is predicted"
    if spec.target == "tags":
        return "at each position a score of each class, in the order of class_names; the largest is predicted"
    if spec.output_dim == 1:
        return f"a score; above 0 means {spec.class_names[1]}, else {spec.class_names[0]}"
    return "a score of each class, in the order of class_names; the largest is predicted"


def giving_units(portable: Portable, spec: DataSpec) -> Portable:
    """The network with its numbers in the units that the data has."""
    network = nn.Sequential(portable.module, Units(spec))
    return Portable.of(portable.name, network, portable.samples, portable.takes, "the predicted numbers")


def giving_probabilities(portable: Portable, task: Task) -> Portable:
    criterion = task.criterion if isinstance(task, SupervisedTask) and task.predicts_classes else None
    if criterion is None or criterion.probabilities(portable.module(portable.samples(1))) is None:
        raise ConfigError("the outputs of this model stand for no probabilities", "without --probabilities")
    return Portable.of(
        portable.name,
        nn.Sequential(portable.module, Probabilities(criterion.probabilities)),
        portable.samples,
        portable.takes,
        "the probability of each class, in the order of class_names",
    )


def taking_raw_inputs(portable: Portable, preprocessing: Preprocessing) -> Portable:
    """The network with the preprocessing in front.

    Raises:
        ConfigError: A column holds categories: there are no texts in a graph.
    """
    if isinstance(preprocessing, TablePreprocessing):
        if texts := [column.name for column in preprocessing.columns if isinstance(column, CategoryColumn)]:
            raise ConfigError(
                f"the column {texts[0]} holds categories, whose preprocessing cannot be exported",
                "without --with-preprocessing; the file says how to encode them",
            )
        front: nn.Module = Columns(preprocessing)
        names = [column.name for column in preprocessing.columns]
        takes = f"the columns {', '.join(names[:NAMED])}{', …' if names[NAMED:] else ''}"
    elif isinstance(preprocessing, TextPreprocessing):
        raise ConfigError(
            "a graph takes no text", "without --with-preprocessing; preprocessing.json has the vocabulary"
        )
    elif isinstance(preprocessing, SeriesPreprocessing):
        raise ConfigError(
            "the scaling of a series is not exported", "without --with-preprocessing; preprocessing.json has it"
        )
    else:
        front = Pixels(preprocessing)
        height, width = front.size
        takes = f"{'RGB' if preprocessing.channels == 3 else 'grey'} images of {height}×{width}, pixels 0 to 255"
    return Portable.of(
        portable.name,
        nn.Sequential(front, portable.module),
        lambda count: raw_samples(preprocessing, count),
        takes,
        portable.gives,
    )


class Pixels(nn.Module):
    """uint8 images `(B, C, H, W)` as the model sees them: padded as in training, then scaled.

    Where training interpolated its images to the model's size, they are taken at that size: on another runtime an
    interpolation rounds other pixels.
    """

    shift: Tensor
    factor: Tensor

    def __init__(self, preprocessing: ImagePreprocessing) -> None:
        super().__init__()
        self.size = raw_size(preprocessing)
        height, width = (new - old for new, old in zip(preprocessing.size, self.size, strict=True))
        self.margins = (width // 2, width - width // 2, height // 2, height - height // 2)
        for name in ("shift", "factor"):
            values = torch.tensor(getattr(preprocessing, name)).view(1, -1, 1, 1)
            self.register_buffer(name, values)

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.float()
        if any(self.margins):
            pixels = F.pad(pixels, self.margins)
        return (pixels - self.shift) * self.factor


class Columns(nn.Module):
    """float64 rows `(B, D)` as the model takes them; NaN, a missing cell, is filled as in training, or stays NaN."""

    shift: Tensor
    factor: Tensor
    fill: Tensor

    def __init__(self, preprocessing: TablePreprocessing) -> None:
        super().__init__()
        columns = [column for column in preprocessing.columns if isinstance(column, NumberColumn)]
        fills = [float("nan") if column.fill is None else column.fill for column in columns]
        self.register_buffer("shift", torch.tensor([column.shift for column in columns], dtype=torch.float64))
        self.register_buffer("factor", torch.tensor([column.factor for column in columns], dtype=torch.float64))
        self.register_buffer("fill", torch.tensor(fills, dtype=torch.float64))

    def forward(self, rows: Tensor) -> Tensor:
        filled = torch.where(rows.isnan(), self.fill, rows)
        return ((filled - self.shift) * self.factor).float()


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
    """What a criterion makes of outputs `(B, output_dim)`: `(B, num_classes)`."""

    def __init__(self, probabilities: Callable[[Tensor], Tensor | None]) -> None:
        super().__init__()
        self.probabilities = probabilities

    def forward(self, outputs: Tensor) -> Tensor:
        found = self.probabilities(outputs)
        assert found is not None
        return found


def raw_size(preprocessing: ImagePreprocessing) -> tuple[int, int]:
    """The (height, width) of the images that Pixels takes."""
    padded = is_padding(preprocessing.raw_size, preprocessing.size)
    return preprocessing.raw_size if padded else preprocessing.size


def raw_samples(preprocessing: ImagePreprocessing | TablePreprocessing, count: int) -> Tensor:
    """Inputs of Pixels, every pixel uniform, or of Columns, numbers of the training's mean and deviation."""
    source = generator(0, "export samples", count)
    if isinstance(preprocessing, ImagePreprocessing):
        shape = (count, preprocessing.channels, *raw_size(preprocessing))
        return torch.randint(0, 256, shape, generator=source, dtype=torch.uint8)
    columns = Columns(preprocessing)
    scaled = torch.randn(count, len(columns.shift), generator=source, dtype=torch.float64)
    return columns.shift + scaled / columns.factor


def prepared_samples(preprocessing: Preprocessing, count: int) -> Tensor:
    """Inputs of the bare network: the same, prepared; of a table's categories, one of each column at random."""
    if isinstance(preprocessing, ImagePreprocessing):
        prepared: Tensor = Pixels(preprocessing)(raw_samples(preprocessing, count))
        return prepared
    source = generator(0, "export samples", count)
    if isinstance(preprocessing, TextPreprocessing):
        shape = (count, min(preprocessing.max_length, NUM_TOKENS))
        return torch.randint(len(preprocessing.tokenizer), shape, generator=source)
    if isinstance(preprocessing, SeriesPreprocessing):
        return torch.randn(count, preprocessing.window, len(preprocessing.columns), generator=source)
    parts = []
    for column in preprocessing.columns:
        if isinstance(column, NumberColumn):
            parts.append(torch.randn(count, 1, generator=source))
        else:
            codes = torch.randint(0, column.width, (count,), generator=source)
            parts.append(F.one_hot(codes, column.width).float())
    return torch.cat(parts, dim=1)
