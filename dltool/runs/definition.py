"""What a metric means in a run: values with different definitions are neither ranked nor compared."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from dltool.runs.catalog import as_text

OF_THE_DATA = ("data.name", "data.path", "data.target", "data.function", "data.max_number")
OF_TOKENS = ("data.tokenizer.",)  # For tasks whose targets are the tokens.
OF_A_LOSS = ("task.name", "loss.", "data.target_scaling")
OF_A_TASKS_LOSS = {
    "vae": ("task.beta", "task.binarize"),
    "diffusion": ("task.num_timesteps", "task.noise", "task.prediction"),
}
PREDICT_TOKENS = ("language_model", "cloze", "translation", "word2vec")
LOSSES = ("loss", "penalty", "reconstruction", "kl", "elbo", "nll")


def is_loss(metric: str) -> bool:
    """Whether the meaning of a metric depends on the loss: "val/loss", "generator_loss"."""
    name = metric.rpartition("/")[2]
    return name in LOSSES or name.endswith("_loss")


def definition(metric: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a metric's meaning depends on: the data, and for a loss also the loss and its options."""
    task = config.get("task.name")
    names = OF_THE_DATA + (OF_TOKENS if task in PREDICT_TOKENS else ())
    if is_loss(metric):
        names += OF_A_LOSS + OF_A_TASKS_LOSS.get(str(task), ())
    return {key: value for key, value in config.items() if any(matches(key, name) for name in names)}


def matches(key: str, name: str) -> bool:
    """Whether a key is that name, or below it where the name ends in a point."""
    return key == name or (name.endswith(".") and key.startswith(name))


def definitions(metric: str, configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The definition of a metric in each config, as text of the settings that differ; all empty if they are equal."""
    found = [definition(metric, config) for config in configs]
    keys = dict.fromkeys(key for one in found for key in one)
    differing = [key for key in keys if any(one.get(key) != found[0].get(key) for one in found)]
    return [
        " ".join(f"{key.removesuffix('.name')}={as_text(one[key])}" for key in differing if key in one) for one in found
    ]


def main_metric(declared: Iterable[tuple[str, str] | None], reported: Set[str]) -> tuple[str, str] | None:
    """The metric that runs are ranked by, and "min" or "max"; None if no run has one.

    Args:
        declared: The main metric of each run.
        reported: The metrics that some run has. If none has the metric on the validation split, that of the test split
            is taken.
    """
    for found in declared:
        if found is not None:
            name, direction = found
            on_test = name.replace("val/", "test/", 1)
            return (name if name in reported or on_test not in reported else on_test), direction
    return None


def comparable_metric(
    metric: str, records: Sequence[tuple[Mapping[str, Any], Mapping[str, float]]]
) -> tuple[str, str] | None:
    """`shared_metric` with its direction; None if there is none, or nothing declares its direction."""
    from dltool.metrics.directions import declared_direction  # As below.

    name = shared_metric(metric, records)
    direction = declared_direction(name) if name is not None else None
    return None if name is None or direction is None else (name, direction)


def shared_metric(metric: str, records: Sequence[tuple[Mapping[str, Any], Mapping[str, float]]]) -> str | None:
    """Another metric of the same split that every run has with one meaning; None if none exists.

    Args:
        metric: One with several meanings.
        records: The config and the metrics of each run.
    """
    from dltool.metrics.directions import declared_direction  # Parses source; a list of runs needs none of it.

    split = metric.rpartition("/")[0]
    configs = [config for config, _ in records]
    for name in records[0][1]:
        if name.rpartition("/")[0] != split or is_loss(name) or not all(name in metrics for _, metrics in records):
            continue
        if declared_direction(name) is not None and len(set(definitions(name, configs))) == 1:
            return name
    return None
