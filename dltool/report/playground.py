"""What the playground of a run's page starts with: the points, the run's own settings, the command for them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.core.numerals import is_finite_number
from dltool.core.shell import quoted, setting
from dltool.runs.description import changed_config
from dltool.runs.summary_file import read_points

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "scaled_tanh", "sigmoid", "identity")
OPTIMIZERS = ("sgd", "momentum", "adam")
MOMENTUM = 0.9  # Of "momentum".
HIDDEN, RATE = [8, 8], 0.01  # Where the run's model has no hidden layers to start with, its optimizer no rate.
MAX_LAYERS, MAX_WIDTH = 6, 512
KEYS = (
    "schedule.name",
    "model.name",
    "model.hidden",
    "model.depth",
    "model.activation",
    "optim.name",
    "optim.lr",
    "optim.weight_decay",
)
GROUPS = ("model.", "optim.", "schedule.", "loss.", "task.", "attack.")  # Their other keys change what is learned.


def playground_of(folder: Path, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The playground for the page of a run; None without points that can be drawn.

    Args:
        folder: The run folder.
        config: Its complete config, with dotted keys.
    """
    points = read_points(folder)
    if not is_complete(points) or "data.name" not in config:
        return None
    settings = settings_of(config)
    return {
        "points": points,
        "shown": sum(len(split["targets"]) for split in points["points"].values()),
        "all": sum(points["sizes"].values()),
        "settings": settings,
        "choices": {"activation": [*ACTIVATIONS], "optimizer": [*OPTIMIZERS], "layers": MAX_LAYERS},
        "left_out": left_out(config, settings, numbers=not points["classes"]),
        "command": command_of(config),
    }


def is_complete(points: Mapping[str, Any]) -> bool:
    """Whether a run's points have the form that the scripts of the page expect."""
    try:
        num_inputs = 2 if points["classes"] else 1
        highest = len(points["classes"]) - 1 if points["classes"] else math.inf
        texts = [*points["classes"], *points["names"]]
        numbers = [*points["shift"], *points["factor"], *points["target"]["shift"], *points["target"]["factor"]]
        shapes = [len(points[name]) for name in ("names", "shift", "factor")] == [num_inputs] * 3
        return (
            shapes
            and all(isinstance(text, str) for text in texts)
            and points["outputs"] in (1, len(points["classes"]))
            and all(map(is_finite_number, [*numbers, *points["sizes"].values()]))
            and bool(points["points"]["train"]["targets"])
            and points["points"].keys() <= {"train", "val"}
            and all(is_split(split, num_inputs, highest) for split in points["points"].values())
        )
    except (KeyError, TypeError, AttributeError, IndexError):
        return False


def is_split(split: Mapping[str, Any], num_inputs: int, highest: float) -> bool:
    inputs, targets = split["inputs"], split["targets"]
    are_numbers = all(len(row) == num_inputs and all(map(is_finite_number, row)) for row in inputs)
    is_class = highest < math.inf
    return (
        len(inputs) == len(targets)
        and are_numbers
        and all(is_finite_number(target) and (not is_class or 0 <= target <= highest) for target in targets)
    )


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The run's own settings as far as the playground has them."""
    is_mlp = config.get("model.name") == "mlp"
    widths = widths_of(config) if is_mlp else HIDDEN
    fits = len(widths) <= MAX_LAYERS and all(isinstance(width, int) and 0 < width <= MAX_WIDTH for width in widths)
    activation = config.get("model.activation") if is_mlp else None
    return {
        "hidden": widths if fits else HIDDEN,
        "activation": activation if activation in ACTIVATIONS else "relu",
        "optimizer": optimizer_of(config),
        "rate": as_number(config.get("optim.lr"), RATE),
        "decay": as_number(config.get("optim.weight_decay"), 0.0) if config.get("optim.name") != "adamw" else 0.0,
        "batch": max(int(as_number(config.get("data.batch_size"), 32)), 1),
        "seed": max(int(as_number(config.get("seed"), 0)), 0),
    }


def widths_of(config: Mapping[str, Any]) -> list[Any]:
    """The width of each hidden layer of an mlp."""
    hidden, depth = config.get("model.hidden"), config.get("model.depth")
    widths = [*hidden] if isinstance(hidden, list) else []
    return widths * min(depth, MAX_LAYERS + 1) if isinstance(depth, int) and len(widths) == 1 else widths


def optimizer_of(config: Mapping[str, Any]) -> str:
    """The playground's optimizer that is nearest to the run's."""
    if config.get("optim.name") != "sgd":
        return "adam"
    return "momentum" if as_number(config.get("optim.momentum"), 0.0) > 0 else "sgd"


def as_number(value: Any, default: float) -> float:
    return value if is_finite_number(value) else default


def left_out(config: Mapping[str, Any], settings: Mapping[str, Any], *, numbers: bool) -> list[str]:
    """The run's settings that the playground lacks, as overrides; those of another model or optimizer by its name."""
    changed = changed_config(dict(config))
    found = {key: value for key, value in changed.items() if key.startswith(GROUPS) and key not in KEYS}
    if numbers and config.get("task.l2") == "auto":  # The mlp's penalty, which is 0 for classes.
        found["task.l2"] = "auto"
    for group, known in {"model": ("mlp",), "optim": ("sgd", "adam"), "schedule": ("constant",)}.items():
        name = config.get(f"{group}.name")
        if name not in known:
            found = {key: value for key, value in found.items() if not key.startswith(f"{group}.")}
            found[f"{group}.name"] = name
    if settings["optimizer"] == "momentum" and found.get("optim.momentum") == MOMENTUM:
        del found["optim.momentum"]
    if config.get("model.name") == "mlp" and settings["hidden"] != widths_of(config):
        found |= {key: config[key] for key in ("model.hidden", "model.depth") if config.get(key) is not None}
    return [setting(key.removesuffix(".name"), value) for key, value in found.items()]


def command_of(config: Mapping[str, Any]) -> str:
    """The beginning of the command: the model and the run's data; the page adds what the reader chooses."""
    name = config["data.name"]
    keys = [key for key in changed_config(dict(config)) if key.startswith("data.")]
    changed = [setting(key, config[key]) for key in keys if key not in ("data.name", "data.batch_size")]
    return " ".join([quoted("dltool", "train", "model=mlp", f"data={name}"), *changed])
