"""The effect of changing a data set's keys: other data, another split of the same data, or neither.

The roles are declared where the keys are, in signatures; see dltool.declarations.component.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.config.check import Config
from dltool.config.compose import UNSET
from dltool.declarations.source import Component

SOURCE = "Source"  # The role of a loader's own key that declares no other.
LOCATIONS = ("Location", "SplitLocation")
MEMBERSHIP = ("Membership", "SplitLocation")


def role_of(declared: Component, key: str) -> str:
    """The role of a data set's key, one of those of dltool.declarations.component."""
    field = declared.all_fields[key]
    return field.role or (SOURCE if key in declared.fields else "Handling")


def keys_with_role(declared: Component, *roles: str) -> list[str]:
    """The keys of a component whose declarations name one of the roles, in the form of a config: `data.residency`."""
    return [f"{declared.group}.{key}" for key, field in declared.all_fields.items() if field.role in roles]


def is_other_source(before: Config, after: Config, folder: Path) -> bool:
    """Whether a config names other data than a run's config, wherever it lies.

    Args:
        before: The run's config.
        after: The same config with overrides.
        folder: The working directory of the run, to which its relative paths refer.
    """
    old, new = before["data"], after["data"]
    declared = after.components["data"]
    return old["name"] != new["name"] or any(
        not is_same_source(old[key], new[key], folder)
        for key in declared.all_fields
        if role_of(declared, key) == SOURCE
    )


def is_elsewhere(before: Config, after: Config, folder: Path) -> bool:
    """Whether a config of the same data set has another place for it; the arguments are those of is_other_source."""
    names = [key.removeprefix("data.") for key in keys_with_role(after.components["data"], "Location")]
    return any(not is_same_source(before["data"][name], after["data"][name], folder) for name in names)


def locations_set(config: Config, source: Path) -> list[str]:
    """The keys which say where the data lies and are not taken from the config in `source`."""
    keys = keys_with_role(config.components["data"], *LOCATIONS)
    return [key for key in keys if config.origins.origin(key) not in (str(source), UNSET)]


def places_of(config: Config) -> list[tuple[str, Any]]:
    """The keys that say where the data lies, and their values, without those that are null."""
    keys = keys_with_role(config.components["data"], *LOCATIONS)
    values = [(key, config["data"][key.removeprefix("data.")]) for key in keys]
    return [(key, value) for key, value in values if value is not None]


def identifying_keys(config: Config) -> list[str]:
    """The keys that decide which samples there are and how they are split, wherever they lie."""
    declared = config.components["data"]
    roles = (SOURCE, *MEMBERSHIP)
    return ["data.name", *(f"data.{key}" for key in declared.all_fields if role_of(declared, key) in roles)]


def identifying_settings(config: Config, *, drawn: bool) -> dict[str, Any]:
    """The settings that identify built-in or synthetic data.

    Args:
        config: The config of the data.
        drawn: Whether `split_seed` decides on the samples themselves, not only on their splits.
    """
    declared, values = config.components["data"], config["data"]
    keys = [key for key in declared.fields if role_of(declared, key) in (SOURCE, "Membership")]
    return {key: values[key] for key in ("name", *keys, *["split_seed"] * (drawn and "split_seed" in values))}


def changed_membership(
    before: Config, after: Config, auto: Mapping[str, Any], roles: Sequence[str] = MEMBERSHIP
) -> list[str]:
    """Keys of the same data set whose new values may change the samples or their assignment to splits.

    Args:
        before: The run's config.
        after: The same config with overrides.
        auto: Dotted key to the value of each `auto` in the run; on the same data it gets the same value again.
        roles: The roles of the keys.
    """
    declared = after.components["data"]
    changed = []
    for key in keys_with_role(declared, *roles):
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
