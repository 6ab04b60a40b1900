"""The initial weights of a training: those of `model.weights`, of `init_from`, or random ones."""

from torch import nn

from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.warm_start.pretrained import pretrained
from dltool.warm_start.warm_start import WarmStart, warm_start


def load_initial_weights(model: nn.Module, config: Config) -> WarmStart | None:
    """Load the weights that the config names into the model, if it names any.

    Raises:
        ConfigError, DataError: If they cannot be read, or do not fit.
    """
    collection = config.components["model"].traits.published_by
    published = None if collection is None else config["model"]["weights"]
    if collection is None or published is None:
        return None if config["init_from"] is None else warm_start(model, config["init_from"])
    if config["init_from"] is not None:
        problem = f"model.weights={published} and init_from={config['init_from']} both choose the initial weights"
        raise ConfigError(problem, "init_from=null, or model.weights=null")
    return pretrained(model, collection, config["model"])
