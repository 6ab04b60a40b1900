"""Initial weights that a model computes from training inputs."""

from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import InitializedFromData
from dltool.data.dataset import Dataset


def initialize_from_data(model: nn.Module, dataset: Dataset) -> list[str]:
    """Let a model that supports it compute initial weights from training inputs.

    Returns:
        What was done, as text; empty for all other models.

    Raises:
        ConfigError: If the data has no single samples.
    """
    if not isinstance(model, InitializedFromData) or model.num_first_inputs == 0:
        return []
    inputs = dataset.train.first_inputs(model.num_first_inputs)
    if inputs is None:
        raise ConfigError("the model's initial weights are computed from samples, and the data is one long text")
    model.initialize_from(inputs)
    return [f"initialized from {len(inputs):,} training inputs"]
