"""The effect of changing a data set's keys: other data, another split of the same data, or neither.

The roles are declared where the keys are, in signatures; see dltool.declarations.component.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.config.check import Config
from dltool.declarations.source import Component

SOURCE = "Source"  # The role of a loader's own key that declares no other.


def role_of(declared: Component, key: str) -> str:
    """The role of a data set's key: "Source", "Membership", "Handling" or "Placement"."""
    field = declared.all_fields[key]
    return field.role or (SOURCE if key in declared.fields else "Handling")


def keys_with_role(declared: Component, role: str) -> list[str]:
    """The keys of a component whose declarations name a role, in the form of a config: `data.residency`."""
    return [f"{declared.group}.{key}" for key, field in declared.all_fields.items() if field.role == role]


def is_other_data(before: Config, after: Config, folder: Path) -> bool:
    """Whether a config reads other data than a run's config.

    Args:
        before: The run's config.
        after: The same config with overrides.
        folder: The working directory of the run, to which its relative paths refer.
    """
    old, new = before["data"], after["data"]
    if old["name"] != new["name"]:
        return True
    declared = after.components["data"]
    return any(
        not is_same_source(old[key], new[key], folder)
        for key in declared.all_fields
        if role_of(declared, key) == SOURCE
    )


def changed_membership(before: Config, after: Config, auto: Mapping[str, Any]) -> list[str]:
    """Keys of the same data set whose new values may change the samples or their assignment to splits.

    Args:
        before: The run's config.
        after: The same config with overrides.
        auto: Dotted key to the value of each `auto` in the run; on the same data it gets the same value again.
    """
    declared = after.components["data"]
    changed = []
    for key in keys_with_role(declared, "Membership"):
        name = key.removeprefix("data.")
        old, new = before["data"][name], after["data"][name]
        if old != new and not (new == "auto" and key in auto):
            changed.append(key)
    return changed


def is_same_source(old: Any, new: Any, folder: Path) -> bool:
    """Whether two values refer to the same data; a path can be written in several ways."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return bool(old == new)
    return old == new or real_path(folder, old) == real_path(Path.cwd(), new)


def real_path(folder: Path, path: str) -> str:
    return os.path.realpath(folder / os.path.expanduser(path))  # noqa: PTH111 (Path's refuses unknown users)
