"""What the figures of a run are made from: its model, its data's description, its diagnostics."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.data.preprocessing import Preprocessing
from dltool.diagnostics.store import read_weights, weight_files
from dltool.figures.words import figure_title, word
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.predictions import Prediction
from dltool.tasks.task import Task

BATCH_SIZE = 4096


@dataclass(frozen=True)
class Subject:
    """A run in training, or one loaded from its folder.

    Attributes:
        task: Its model has the weights of the run's end.
        spec: The description of the data.
        preprocessing: From raw samples to the model's inputs.
        config: The complete config, nested.
        folder: The run folder's `diagnostics`.
        step: The step of the model's weights.
        difference: Among several runs, the settings that only this one has, such as "optim=adam".
        training_samples: Returns at least the given number of training samples, from the first; None if unknown.
        dataset: Loads the run's own data, once, with the splits of the training; None while it trains.
    """

    task: Task
    spec: DataSpec
    preprocessing: Preprocessing
    config: Mapping[str, Any]
    folder: Path
    step: int
    difference: str = ""
    training_samples: Callable[[int], Batch] | None = None
    dataset: Callable[[], Dataset] | None = None

    @property
    def title(self) -> str:
        """Such as "mlp on moons"."""
        return shared_title([self])

    def inputs(self, raw: Any) -> Tensor:
        """The model's inputs for rows of numbers, `(B, D)`, on the model's device."""
        device = next(self.task.model.parameters()).device
        return torch.cat([batch for _, batch in self.preprocessing.read(raw, BATCH_SIZE)]).to(device)

    def predict(self, inputs: Tensor) -> Prediction:
        """The prediction for prepared inputs, as `dltool predict` computes it."""
        with evaluation_mode(self.task.model), torch.no_grad():
            return self.task.predict(inputs)

    @contextlib.contextmanager
    def with_weights(self, weights: Path | Mapping[str, Tensor]) -> Iterator[None]:
        """In this context the model has other weights, or those of a file of the diagnostics."""
        before = {name: tensor.detach().clone() for name, tensor in self.task.model.state_dict().items()}
        try:
            self.task.model.load_state_dict(read_weights(weights) if isinstance(weights, Path) else weights)
            yield
        finally:
            self.task.model.load_state_dict(before)

    def replayed(self, at_most: int) -> Iterator[int]:
        """The steps of kept weights, evenly chosen; at each of them the model has these weights.

        Args:
            at_most: The number of steps.
        """
        files = weight_files(self.folder)
        places = np.linspace(0, len(files) - 1, min(at_most, len(files))).round().astype(int)
        for step, file in (files[place] for place in np.unique(places)):
            with self.with_weights(file):
                yield step

    @property
    def label(self) -> str:
        """The run among others: what distinguishes it, or its optimizer."""
        return self.difference or optimizer_of(self.config)

    def note(self) -> str:
        """Rate, batch size, seed and step, for the small line of a figure."""
        return ", ".join([self.label, *self.facts()[1:]])

    def facts(self) -> list[str]:
        """Optimizer with its rate, batch size, seed and step."""
        config = self.config
        return [
            optimizer_of(config),
            word("batch {size}", size=config["data"].get("batch_size")),
            word("seed {seed}", seed=config["seed"]),
            word("step {step:,}", step=self.step),
        ]


def optimizer_of(config: Mapping[str, Any]) -> str:
    """The optimizer with its rate, "adam lr=0.001"."""
    optim = config["optim"]
    rate = optim.get("lr")
    return f"{optim['name']}" + (f" lr={rate:g}" if isinstance(rate, float | int) else "")


def shared_title(subjects: Sequence[Subject]) -> str:
    """The title of a figure of several runs, "mlp on digits" or "rnn, lstm on digits"."""
    names = [dict.fromkeys(subject.config[group]["name"] for subject in subjects) for group in ("model", "data")]
    return figure_title(*map(", ".join, names))


def shared_note(subjects: Sequence[Subject]) -> str:
    """The small line of a figure of several runs: what they have in common; of one run, its own."""
    if len(subjects) == 1:
        return subjects[0].note()
    facts = [subject.facts() for subject in subjects]
    shared = [fact for fact in facts[0] if all(fact in other for other in facts)]
    rates = {subject.config["optim"].get("lr") for subject in subjects}
    if facts[0][0] not in shared and len(rates) == 1 and isinstance(rate := rates.pop(), float | int):
        shared.insert(0, f"{word('learning rate')} {rate:g}")
    return ", ".join(shared)
