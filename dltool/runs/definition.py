"""What a metric means in a run: values with different definitions are neither ranked nor compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from dltool.runs.catalog import as_text

OF_THE_DATA = ("data.name", "data.path", "data.target", "data.function", "data.max_number", "data.tokenizer.")
OF_A_LOSS = ("task.name", "loss.", "task.l1", "task.l2", "data.target_scaling")
LOSSES = ("loss", "penalty", "reconstruction", "kl", "elbo", "nll")


def is_loss(metric: str) -> bool:
    """Whether the meaning of a metric depends on the loss: "val/loss", "generator_loss"."""
    name = metric.rpartition("/")[2]
    return name in LOSSES or name.endswith("_loss")


def definition(metric: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a metric's meaning depends on: the data, and for a loss also the loss and its options."""
    prefixes = OF_THE_DATA + (OF_A_LOSS if is_loss(metric) else ())
    return {
        key: value
        for key, value in config.items()
        if any(key == prefix or (prefix.endswith(".") and key.startswith(prefix)) for prefix in prefixes)
    }


def defines(metric: str, key: str) -> bool:
    """Whether an override of a key, `loss` or `loss.label_smoothing`, changes a metric's meaning."""
    return bool(definition(metric, {key: None}) or definition(metric, {f"{key}.name": None}))


def definitions(metric: str, configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The definition of a metric in each config, as text of the settings that differ; all empty if they are equal."""
    found = [definition(metric, config) for config in configs]
    keys = dict.fromkeys(key for one in found for key in one)
    differing = [key for key in keys if any(one.get(key) != found[0].get(key) for one in found)]
    return [
        " ".join(f"{key.removesuffix('.name')}={as_text(one[key])}" for key in differing if key in one) for one in found
    ]
