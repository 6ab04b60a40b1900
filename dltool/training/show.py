"""`dltool show`: a model's layers and receptive fields, without a training."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dltool.build.components import build_data, build_model, build_sized_task, build_spec, build_task, with_targets
from dltool.build.parts import penalty_notes
from dltool.config.check import Config
from dltool.config.settings import TrainerSettings
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.declarations.construct import build_component
from dltool.engine.length import automatic_choices, describe_length, resolve
from dltool.figures.words import figure_title, word
from dltool.introspection.summary import layer_table
from dltool.tasks.task import Task
from dltool.warm_start.from_data import initialize_from_data

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure


def describe_model(config: Config, receptive_field: Path | None = None, diagram: Path | None = None) -> str:
    """The model's layers as a table, after loading the data that decides its shapes.

    Args:
        config: The config with the model and the data.
        receptive_field: The file for a figure of the initialised model's receptive fields.
        diagram: The file for a diagram of the network.

    Raises:
        ConfigError: If no layer's receptive field is a part of the image, or a figure cannot be written.
    """
    dataset = build_data(config, torch.device("cpu"), approximate=True)
    config = with_targets(config, dataset.spec)
    spec = build_spec(config, dataset)
    try:  # Shapes alone, if that is enough; a user's model may also read values, such as lengths.
        table = notes_and_layers(config, dataset, spec, torch.device("meta"))
    except Exception:
        table = notes_and_layers(config, dataset, spec, torch.device("cpu"))
    lines = [] if receptive_field is None else [draw_what_units_see(config, dataset, spec, receptive_field)]
    lines += [] if diagram is None else [draw_network(config, spec, diagram)]
    return "\n".join([f"{table}\n", *lines]) if lines else table


def notes_and_layers(config: Config, dataset: Dataset, spec: DataSpec, device: torch.device) -> str:
    """The automatic choices, then the layers as a table, of a model on a device."""
    with device:
        model = build_model(config, spec, device)
        task = build_sized_task(config, model, spec, dataset)
        penalty = [f"penalty: {note}" for note in penalty_notes(task, dataset)]
        notes = (*dataset.notes, *penalty, *length_notes(config, dataset, task))
        return "".join(f"{note}\n" for note in notes) + layer_table(model, spec)


def length_notes(config: Config, dataset: Dataset, task: Task) -> list[str]:
    """The automatic length and its reason, in a line, unless all of it is configured."""
    written: TrainerSettings = build_component(config.components["trainer"], config["trainer"])
    settings = resolve(written, dataset, task)
    choices = automatic_choices(written, settings)
    return [f"length: {line}"] if (line := describe_length(choices, settings, dataset, task)) else []


def draw_what_units_see(config: Config, dataset: Dataset, spec: DataSpec, path: Path) -> str:
    """Draw the effective receptive fields of the initialised model; returns a line with the file."""
    from dltool.introspection.pictures import receptive_field_picture

    name = config["model"]["name"]
    model = build_model(config, spec, torch.device("cpu"))
    initialize_from_data(model, dataset)
    images = dataset.train.copy_at_start().draw().inputs
    title = word("{title}, initial weights", title=figure_title(name, config["data"]["name"]))
    figure = receptive_field_picture(model, spec, images, title)
    if figure is None:
        raise ConfigError(
            f"no layer of {name} has a receptive field smaller than the image",
            "model=lenet data=digits",
        )
    return f"receptive fields: {written(figure, path)}"


def draw_network(config: Config, spec: DataSpec, path: Path) -> str:
    """Draw the network; returns a line with the file."""
    from dltool.introspection.pictures import diagram_picture

    task = build_task(config, build_model(config, spec, torch.device("cpu")), spec)
    title = figure_title(config["model"]["name"], config["data"]["name"])
    return f"diagram: {written(diagram_picture(task, spec, title), path)}"


def written(figure: "Figure", path: Path) -> Path:
    """Write a figure to the user's file.

    Raises:
        ConfigError: It cannot be written.
    """
    from dltool.figures.saving import save_figure

    try:
        save_figure(figure, path)
    except OSError as error:
        raise ConfigError(f"{path.resolve()} cannot be written: {error.strerror}", "another file") from error
    return path
