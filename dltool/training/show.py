"""`dltool show`: a model's layers and receptive fields, without a training."""

from pathlib import Path

import torch

from dltool.build.components import build_data, build_model, build_spec, with_targets
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.dataset import Dataset
from dltool.introspection.summary import layer_table
from dltool.warm_start.from_data import initialize_from_data


def describe_model(config: Config, receptive_field: Path | None = None) -> str:
    """The model's layers as a table, after loading the data that decides its shapes.

    Args:
        config: The config with the model and the data.
        receptive_field: The file for a figure of the initialised model's receptive fields.

    Raises:
        ConfigError: If no layer's receptive field is a part of the image, or the figure cannot be written.
    """
    dataset = build_data(config, torch.device("cpu"), approximate=True)
    config = with_targets(config, dataset.spec)
    spec = build_spec(config, dataset)
    notes = "".join(f"{note}\n" for note in dataset.notes)
    table = notes + table_of_layers(config, spec)
    if receptive_field is None:
        return table
    return f"{table}\n\n{draw_what_units_see(config, dataset, spec, receptive_field)}"


def table_of_layers(config: Config, spec: DataSpec) -> str:
    """The layers as a table: shapes alone, if that is enough; a user's model may also read values, such as lengths."""
    try:
        with torch.device("meta"):
            return layer_table(build_model(config, spec, torch.device("meta")), spec)
    except Exception:
        return layer_table(build_model(config, spec, torch.device("cpu")), spec)


def draw_what_units_see(config: Config, dataset: Dataset, spec: DataSpec, path: Path) -> str:
    """Draw the effective receptive fields of the initialised model; returns a line with the file."""
    from dltool.figures.saving import save_figure
    from dltool.introspection.pictures import receptive_field_picture

    names = config["model"]["name"], config["data"]["name"]
    model = build_model(config, spec, torch.device("cpu"))
    initialize_from_data(model, dataset)
    images = dataset.train.copy_at_start().draw().inputs
    figure = receptive_field_picture(model, spec, images, f"{names[0]} on {names[1]}, initial weights")
    if figure is None:
        raise ConfigError(
            f"no layer of {names[0]} has a receptive field smaller than the image",
            "model=lenet data=digits",
        )
    try:
        save_figure(figure, path)
    except OSError as error:
        raise ConfigError(f"{path.resolve()} cannot be written: {error.strerror}", "another file") from error
    return f"receptive fields: {path}"
