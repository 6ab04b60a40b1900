"""The initial weights of a training: those of `model.weights`, `init_from` or `model.initial`, or random ones."""

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
    model_config = config["model"]
    collection = config.components["model"].traits.published_by
    published = None if collection is None else model_config["weights"]
    sources = {
        "model.initial": None if model_config.get("initial") is None else "[…]",
        "model.weights": published,
        "init_from": config["init_from"],
    }
    if len(named := [key for key, source in sources.items() if source is not None]) > 1:
        first, second = named[:2]
        problem = f"{first}={sources[first]} and {second}={sources[second]} both choose the initial weights"
        raise ConfigError(problem, f"{second}=null, or {first}=null")
    if collection is not None and published is not None:
        return pretrained(model, collection, model_config)
    return None if config["init_from"] is None else warm_start(model, config["init_from"])
