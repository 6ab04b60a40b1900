"""What a change of a data set's keys means: other data, another split of the same data, or neither.

The roles are declared where the keys are, in signatures; see dltool.declarations.component.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.config.check import Config
from dltool.declarations.source import Component

SOURCE = "Source"  # A loader's own key without another role.


def role_of(declared: Component, key: str) -> str:
    """The role of a data set's key: "Source", "Membership", "Handling" or "Placement"."""
    field = declared.all_fields[key]
    return field.role or (SOURCE if key in declared.fields else "Handling")


def keys_with_role(declared: Component, role: str) -> list[str]:
    """The keys of a data set with a role, as a config names them: `data.residency`."""
    return [f"data.{key}" for key in declared.all_fields if role_of(declared, key) == role]


def is_other_data(before: Config, after: Config, folder: Path) -> bool:
    """Whether a config reads other data than the one of a run.

    Args:
        before: The run's.
        after: The same with overrides.
        folder: Where the run was started, which its relative paths start from.
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
    """Keys of the same data set whose new values may bring other samples, or put them into other splits.

    Args:
        before: The run's.
        after: The same with overrides.
        auto: What each `auto` became in the run, by its dotted key; on the same data it becomes the same again.
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
    """Whether two values name the same data; a path may be written in several ways."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return bool(old == new)
    return old == new or real_path(folder, old) == real_path(Path.cwd(), new)


def real_path(folder: Path, path: str) -> str:
    return os.path.realpath(folder / os.path.expanduser(path))  # noqa: PTH111 (Path's refuses unknown users)
