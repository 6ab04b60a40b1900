"""The keys that are about the search and not about a training: `sweep.*`, `tune.*`."""

from collections.abc import Sequence
from typing import Any

from dltool.config.check import check_group
from dltool.config.compose import Composed, apply_override, parse_override


def split_settings(group: str, overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Take the search's own keys out of the overrides and check them.

    Args:
        group: "sweep" or "tune", registered in dltool.settings.
        overrides: As typed.

    Returns:
        The checked fields, complete with defaults, and the overrides that are left for the trainings.

    Raises:
        ConfigError: For an unknown key, or a value of the wrong type or range.
    """
    composed, rest = Composed(), []
    for text in overrides:
        override = parse_override(text)
        if override.key_or_group.split(".")[0] == group:
            apply_override(composed, override)
        else:
            rest.append(text)
    _, fields = check_group(group, {"name": "default", **composed.tree.get(group, {})}, composed)
    return {key: value for key, value in fields.items() if key != "name"}, rest
