"""`dltool show`: a model's layers, and what its units see, without a training."""

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
        config: Its model, and the data.
        receptive_field: Where to draw what the initialised model's units look at.

    Raises:
        ConfigError: No layer of the model looks at parts of an image, or the picture cannot be written.
    """
    dataset = build_data(config, torch.device("cpu"), approximate=True)
    config = with_targets(config, dataset.spec)
    spec = build_spec(config, dataset)
    with torch.device("meta"):
        model = build_model(config, spec, torch.device("meta"))
    notes = "".join(f"{note}\n" for note in dataset.notes)
    table = notes + layer_table(model, spec)
    if receptive_field is None:
        return table
    return f"{table}\n\n{draw_what_units_see(config, dataset, spec, receptive_field)}"


def draw_what_units_see(config: Config, dataset: Dataset, spec: DataSpec, path: Path) -> str:
    """Draw the effective receptive fields of the initialised model; returns what was drawn where."""
    from dltool.observers.receptive_field_plot import draw_receptive_fields

    names = config["model"]["name"], config["data"]["name"]
    model = build_model(config, spec, torch.device("cpu"))
    initialize_from_data(model, dataset)
    images = dataset.train.copy_at_start().draw().inputs
    try:
        drawn = draw_receptive_fields(model, spec, images, path, f"{names[0]} on {names[1]}, initial weights")
    except OSError as error:
        raise ConfigError(f"{path.resolve()} cannot be written: {error.strerror}", "another file") from error
    if not drawn:
        raise ConfigError(
            f"no layer of {names[0]} looks at parts of an image, so that none has a receptive field",
            "model=lenet data=digits",
        )
    return f"receptive fields: {path}"
