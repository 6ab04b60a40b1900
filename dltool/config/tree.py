"""Config trees: nested dicts with string keys."""

import copy
from collections.abc import Iterator
from typing import Any


def lay_over(base: dict[str, Any], top: dict[str, Any]) -> None:
    """Merge a tree into `base`: mappings are merged, all other values replaced."""
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            lay_over(base[key], value)
        else:
            base[key] = copy.deepcopy(value)


def with_text_keys(tree: Any) -> dict[str, Any]:
    """The mapping with its keys as strings at every level: YAML reads `1:` as a number."""
    return {str(key): with_text_keys(value) if isinstance(value, dict) else value for key, value in tree.items()}


def leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every leaf; an empty mapping is a leaf."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
