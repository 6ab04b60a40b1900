"""The objects built from a config, and their description for the user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from dltool.config.check import Config
from dltool.config.settings import LoggerSettings, StopSettings
from dltool.core.numerals import counted
from dltool.core.spec import DataSpec
from dltool.core.titles import training_title
from dltool.data.dataset import Dataset
from dltool.distributed.team import SOLO, Team
from dltool.engine.device import describe_device
from dltool.engine.length import ResolvedTrainerSettings, describe_length
from dltool.engine.precision import Precision
from dltool.engine.updater import Updater
from dltool.optim.optimizer import describe_factors
from dltool.tasks.task import Task
from dltool.warm_start.warm_start import WarmStart

LISTED = 12  # Numbers that a note lists.


@dataclass
class Parts:
    """Everything that is built from a config, except the trainer and its run folder.

    Attributes:
        model_choices: The values that the model chose for its `auto` keys, by key.
        length_choices: The values for the trainer's `auto` keys that follow the data and the task, by dotted key.
        warm_start: The result of loading the weights that `init_from` or `model.weights` names, or None.
        weight_notes: Notes on initial weights computed from the data.
        team: The processes that train together.
    """

    config: Config
    settings: ResolvedTrainerSettings
    stop: StopSettings
    logger: LoggerSettings
    device: torch.device
    dataset: Dataset
    spec: DataSpec
    task: Task
    updaters: dict[str, Updater]
    model_choices: Mapping[str, Any] = field(default_factory=dict)
    length_choices: Mapping[str, Any] = field(default_factory=dict)
    warm_start: WarmStart | None = None
    weight_notes: Sequence[str] = ()
    team: Team = SOLO

    @property
    def auto(self) -> dict[str, Any]:
        """Dotted key to the chosen value of each `auto` of the config."""
        machine: dict[str, Any] = {"trainer.device": str(self.device), "trainer.threads": torch.get_num_threads()}
        of_model = {f"model.{key}": value for key, value in self.model_choices.items()}
        return machine | dict(self.length_choices) | self.dataset.choices | of_model | self.of_task

    @property
    def of_task(self) -> dict[str, Any]:
        """The values that the task and its loss chose."""
        return dict(self.task.loss_choices) | dict(self.task.penalty_choices)

    @property
    def title(self) -> str:
        """The model and the data, "lenet on digits"."""
        return training_title(self.config["model"]["name"], self.config["data"]["name"])

    @property
    def autocast(self) -> Any:
        """The autocast context of the networks outside an updater."""
        return Precision(self.settings.precision, self.device).autocast


def describe(parts: Parts) -> list[str]:
    """Automatic choices and unusual settings, one line each, which the user reads before the first step."""
    config, settings, spec = parts.config, parts.settings, parts.spec
    notes = [
        f"device     {describe_devices(parts)}",
        *(f"data       {note}" for note in parts.dataset.notes),
    ]
    notes += [f"classes    {note}" for note in parts.dataset.class_notes]
    if config["loss"]["name"] == "auto" and config.chosen_loss:
        notes.append(f"loss       {config.chosen_loss} (for {config['data']['name']})")
    notes += [
        f"loss       {key.removeprefix('loss.')}={in_digits(value)} (balanced by the training split, also in val/loss)"
        for key, value in parts.task.loss_choices.items()
    ]
    notes += [
        f"model      {key}={value} (for inputs of {spec.describe_input()})"
        for key, value in parts.model_choices.items()
    ]
    started = parts.warm_start.notes() if parts.warm_start else ()
    notes += [f"weights    {note}" for note in (*parts.weight_notes, *started)]
    if factors := config["optim"].get("lr_factors"):
        optimizers = [updater.optimizer for updater in parts.updaters.values()]
        notes.append(f"rates      {describe_factors(factors, optimizers)}")
    notes += [f"penalty    {note}" for note in penalty_notes(parts.task, parts.dataset)]
    if length := describe_length(parts.length_choices, settings, parts.dataset, parts.task):
        notes.append(f"length     {length}")
    if settings.average.kind != "none":
        notes.append(f"average    {settings.average.kind}: evaluations, samples and the test use the averaged weights")
    if layout := [name for name in ("channels_last", "compile") if getattr(settings, name)]:
        notes.append(f"speed      {', '.join(layout)}")
    return notes


def penalty_notes(task: Task, dataset: Dataset) -> list[str]:
    """The automatic coefficients of penalties that are not 0, with their reason, a line each."""
    reason = f"weights N(0, 1) a priori, {counted(dataset.sizes.get('train', 0), 'sample')}"
    return [f"{key}={value:.4g} ({reason})" for key, value in task.penalty_choices.items() if value]


def describe_devices(parts: Parts) -> str:
    """The device of this process, and the number of processes that train together."""
    device = describe_device(parts.device)
    return device if parts.team.size == 1 else f"{device}, one of {parts.team.size} processes"


def in_digits(value: Any) -> str:
    """A number or the first numbers of a list, each with four digits."""
    if not isinstance(value, list):
        return f"{value:.4g}"
    return f"[{', '.join(f'{number:.4g}' for number in value[:LISTED])}{', …' if value[LISTED:] else ''}]"
