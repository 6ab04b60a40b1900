"""The differences between runs: config keys with different values, common metrics, their machines."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dltool.config.tree import leaves
from dltool.core.errors import DltoolError
from dltool.runs.catalog import RunRecord, as_text
from dltool.runs.data_record import data_in_short, read_data
from dltool.runs.folder import RunFolder

MISSING = object()
NO_CONFIG = ("run.dir",)  # The location of a run is not a setting.
HOW_NOT_WHAT = (
    "logger.",
    "observer.",
    "trainer.device",
    "trainer.threads",
    "trainer.checkpoint.",
    "data.root",
    "data.download",
)
# Keys of environment.json that differ in every run, or are not settings.
NO_ENVIRONMENT = ("command", "resumed", "working_directory", "sha256")
SPLITS = ("test", "val", "train", "step")


def differing(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Each key whose values are not all equal, with its value in each; MISSING where it is absent."""
    keys = dict.fromkeys(key for one in settings for key in one)
    columns = {key: [one.get(key, MISSING) for one in settings] for key in keys}
    return {key: column for key, column in columns.items() if any(value != column[0] for value in column)}


def differing_config(records: Sequence[RunRecord]) -> dict[str, list[Any]]:
    found = differing([record.config for record in records])
    return {key: column for key, column in found.items() if key not in NO_CONFIG}


def distinguishing_keys(records: Sequence[RunRecord]) -> list[str]:
    """The config keys that distinguish the runs, the most informative first.

    Names of models and other groups come first, then keys that every run has, then keys that only some have. The seed
    and keys about how a run was made rather than what was trained come last. A key is omitted if it distinguishes no
    two runs that the keys before it do not, for example one that follows from the choice of the model.
    """
    columns = differing_config(records)
    order = {key: place for place, key in enumerate(columns)}

    def rank(key: str) -> tuple[bool, bool, bool, bool, int]:
        partly = any(value is MISSING for value in columns[key])
        return key.startswith(HOW_NOT_WHAT), key == "seed", partly, not key.endswith(".name"), order[key]

    classes: list[Any] = [0] * len(records)
    found = []
    for key in sorted(columns, key=rank):
        texts = ["" if value is MISSING else as_text(value) for value in columns[key]]
        finer = list(zip(classes, texts, strict=True))
        if len(set(finer)) > len(set(classes)):
            numbers = {pair: number for number, pair in enumerate(dict.fromkeys(finer))}
            classes = [numbers[pair] for pair in finer]
            found.append(key)
    return found


def labels(records: Sequence[RunRecord], *, without: Sequence[str] = ()) -> list[str]:
    """The label of each run among the others, as overrides: "model=mlp optim.lr=0.01".

    Args:
        records: Two with the same config are distinguished by their folders' names.
        without: Keys to ignore.
    """
    keys = [key for key in distinguishing_keys(records) if key not in without]
    found = [
        " ".join(f"{short_key(key)}={as_text(record.config[key])}" for key in keys if key in record.config)
        for record in records
    ]
    times = Counter(found)
    names = [record.path.name or str(record.path) for record in records]
    return [
        label if label and times[label] == 1 else f"{label} {name}".strip()
        for label, name in zip(found, names, strict=True)
    ]


def short_key(key: str) -> str:
    """`model` for `model.name`, as it is typed."""
    return key.removesuffix(".name")


def main_metrics(records: Sequence[RunRecord], available: Callable[[RunRecord], Iterable[str]]) -> list[str]:
    """The fewest metrics such that each run has at least one of those it could have, the most important first.

    The test split counts more than validation and training, a score more than a loss.

    Args:
        records: Any runs.
        available: The metrics to choose from, for one run.
    """
    offered = [set(available(record)) for record in records]
    times = Counter(name for names in offered for name in names if not is_learning_rate(name))

    def rank(name: str) -> tuple[int, bool, int, str]:
        split = name.partition("/")[0]
        return SPLITS.index(split) if split in SPLITS else len(SPLITS), "loss" in name, -times[name], name

    found: list[str] = []
    for name in sorted(times, key=rank):
        if any(name in names and not names & set(found) for names in offered):
            found.append(name)
    return found


def is_learning_rate(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last == "lr" or last.startswith("lr_")


def read_environment(record: RunRecord) -> dict[str, Any]:
    """environment.json, flat, dotted key to value, with the data's fingerprint in short; empty if it cannot be read."""
    try:
        tree = RunFolder(record.path).read_environment()
        data = data_in_short(read_data(record.path))
        return dict(leaves(tree)) | ({"data": data} if data else {})
    except (DltoolError, OSError, AttributeError):
        return {}


def differing_environment(records: Sequence[RunRecord]) -> dict[str, list[Any]]:
    found = differing([read_environment(record) for record in records])
    return {key: column for key, column in found.items() if not key.startswith(NO_ENVIRONMENT)}


def as_json(value: Any) -> str:
    """Strict JSON: NaN and infinities become null."""
    return json.dumps(_finite(value), indent=1, ensure_ascii=False, allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if value is MISSING or (isinstance(value, float) and value - value != 0):
        return None
    return value
