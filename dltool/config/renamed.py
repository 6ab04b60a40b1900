"""Renamed options and keys, so that the configs and runs of earlier versions keep working.

A rename is one line here. Configs are updated as they are read; each former name prints a note.
"""

import re
from typing import Any

from dltool.core.deprecation import note_former_name

# Group to former name of an option to its current name.
OPTIONS = {"data": {"digit_looks": "digit_styles"}}
# Group to former name of a key to its current name.
KEYS = {"data": {"looks": "styles"}}
# (group, option) to the keys that a complete config of an earlier version lacks, with the value that it stands for; "*"
# are all options of the group.
ADDED: dict[tuple[str, str], dict[str, Any]] = {
    ("model", "*"): {"initial": None},
    ("model", "mlp"): {"depth": None},
    ("model", "rnn"): {"embedding_std": 1.0},
    ("model", "gru"): {"embedding_std": 1.0},
    ("model", "lstm"): {"embedding_std": 1.0},
    ("data", "line"): {"mean": 0.0, "sine": 0.0, "outliers": 0.0},
    ("logger", "default"): {"report": True},
    ("data", "diabetes"): {"target_scaling": "none"},
    ("diagnostics", "default"): {"noise": False},
    ("trainer", "*"): {"devices": 1, "sync_batch_norm": True, "timeout_minutes": 10.0},
    ("trainer", "default"): {"stop_when_overfit": False},
    ("data", "csv"): {
        "quote": "double",
        "decimal": "point",
        "thousands": "none",
        "dates": "categories",
        "positive": None,
        "separator": None,
        "index": False,
        "encoding": "auto",
    },
    ("data", "text"): {"encoding": "auto"},
    ("data", "corpus"): {"encoding": "auto"},
    ("data", "unpaired_folders"): {"train_samples": None},
    ("data", "names"): {"encoding": "auto"},
    ("data", "conllu"): {"encoding": "auto"},
    ("data", "parallel"): {"encoding": "auto"},
    ("data", "text_csv"): {"quote": "double", "positive": None, "separator": None, "encoding": "auto"},
    ("data", "image_folder"): {
        "labels": None,
        "file_column": None,
        "target": None,
        "separator": None,
        "kind": "auto",
        "positive": None,
        "unlabelled": "refuse",
    },
    ("data", "breast_cancer"): {"positive": None},
    ("data", "moons"): {"positive": None},
    ("data", "logic"): {"positive": None},
    ("data", "series"): {
        "index": False,
        "quote": "double",
        "decimal": "point",
        "thousands": "none",
        "encoding": "auto",
        "time": "none",
        "group": None,
        "gaps": "split",
        "season": "auto",
    },
}
# The same for every option of data that has the first key, also those of trusted code.
ADDED_NEXT_TO: dict[str, dict[str, Any]] = {
    "sampling": {"order": "random", "train_samples": None},
    "batching": {"train_samples": None},
    "block_size": {"train_samples": None},
}
# The same for the settings of a tokenizer, for each option of data, also those of trusted code.
ADDED_TO_TOKENIZERS = {"words": "alphanumeric", "form": "none"}


def current_override(text: str) -> str:
    """An override of the command line with current names: `data=digit_looks` is `data=digit_styles`."""
    left, separator, value = text.partition("=")
    group, _, key = left.lstrip("+~").partition(".")
    if now := KEYS.get(group, {}).get(key):
        note_former_name(f"{group}.{key}", f"{group}.{now}")
        left = left.removesuffix(key) + now
    elif not key:
        for former, now in OPTIONS.get(group, {}).items():
            value, count = re.subn(rf"(?<!\w){former}(?!\w)", now, value)
            if count:
                note_former_name(f"{group}={former}", f"{group}={now}")
    return f"{left}{separator}{value}"


def current_tree(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree of a config file with current names; the given tree is not changed."""
    current = dict(tree)
    for group in {*OPTIONS, *KEYS}:
        if isinstance(node := tree.get(group), dict):
            current[group] = current_node(group, node)
    return current


def completed_tree(tree: dict[str, Any]) -> dict[str, Any]:
    """A complete config with the keys that did not exist when it was written."""
    complete = dict(tree)
    for (group, option), keys in ADDED.items():
        if isinstance(node := complete.get(group), dict) and option in ("*", node.get("name")):
            complete[group] = {**keys, **node}
    if isinstance(data := complete.get("data"), dict):
        tokenizers = {key: data[key] for key in ("tokenizer", "target_tokenizer") if isinstance(data.get(key), dict)}
        for key, keys in ADDED_NEXT_TO.items():
            data = {**keys, **data} if key in data else data
        complete["data"] = data | {key: {**ADDED_TO_TOKENIZERS, **node} for key, node in tokenizers.items()}
    return complete


def current_node(group: str, node: dict[str, Any]) -> dict[str, Any]:
    """The keys of one group with current names, in the same order."""
    node = dict(node)
    if now := OPTIONS.get(group, {}).get(str(node.get("name"))):
        note_former_name(f"{group}.name={node['name']}", f"{group}.name={now}")
        node["name"] = now
    for former, now in KEYS.get(group, {}).items():
        if former in node:
            note_former_name(f"{group}.{former}", f"{group}.{now}")
    return {KEYS.get(group, {}).get(key, key): value for key, value in node.items()}
