"""A run's config once more: what may change on resume, and what its automatic choices were."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.config.check import Config, check
from dltool.config.compose import Composed, compose_from, leaves, parse_overrides
from dltool.config.data_roles import keys_with_role
from dltool.config.trusted_code import WATCHING
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted, setting
from dltool.trust.sources import trust_flags

# Length, stopping, checkpoints, logging, observing; what computes; what looks for errors. Of the data, the keys marked
# Placement (dltool.declarations.component) are added. All else would make it another training.
CHANGEABLE = (
    *("trainer.epochs", "trainer.steps", "stop", "trainer.checkpoint", "trainer.test", "logger", WATCHING),
    *("trainer.device", "trainer.threads", "trainer.compile"),
    *("trainer.detect_anomaly", "trainer.profile_steps"),
)


def compose_resume(path: Path, overrides: list[str], auto: Mapping[str, Any]) -> tuple[Config, Config]:
    """A run's config with overrides: as it is saved, and as it is built.

    Args:
        path: The run's config.yaml.
        overrides: What is to change.
        auto: What each `auto` became in the run.

    Raises:
        ConfigError: For an override of anything that must stay, with the values before and after.
    """
    config = compose_changed(path, overrides, CHANGEABLE, " and cannot become {} on resume", data_role="Placement")
    return config, with_auto(config, auto, path)


def compose_changed(
    path: Path,
    overrides: Sequence[str],
    allowed: Sequence[str],
    refusal: str,
    config_dirs: Sequence[Path] = (),
    data_role: str | None = None,
) -> Config:
    """A run's config with overrides of some keys.

    Args:
        path: The run's config.yaml.
        overrides: What is to change.
        allowed: Keys that may change, with all below them.
        refusal: What is said of another, "{}" standing for the value that it is to have.
        config_dirs: As in compose.
        data_role: The data's keys with this role may change too; see dltool.declarations.component.

    Raises:
        ConfigError: For an override of any other key, with the values before and after.
    """
    watched = WATCHING in allowed or any(one.key_or_group.startswith(WATCHING) for one in parse_overrides(overrides))
    if not overrides:
        return check(compose_from(path, []) if watched else unwatched(path))
    before = check(unwatched(path))
    if data_role is not None:
        allowed = [*allowed, *keys_with_role(before.components["data"], data_role)]
    after = check(compose_from(path, overrides, config_dirs) if watched else unwatched(path, overrides, config_dirs))
    old, new = dict(leaves(before.tree)), dict(leaves(after.tree))
    for key in sorted(old | new):
        if old.get(key) != new.get(key) and not any(key == k or key.startswith(f"{k}.") for k in allowed):
            raise ConfigError(
                f"{key} was {old.get(key)} in this run{refusal.format(new.get(key))}",
                f"train anew: dltool train {trust_flags()}--from {quoted(path.parent)} {setting(key, new.get(key))}",
            )
    return after


def unwatched(path: Path, overrides: Sequence[str] = (), config_dirs: Sequence[Path] = ()) -> Composed:
    """A run's config with overrides, without the user's own observer: a run is used without the code of that."""
    composed = compose_from(path, overrides, config_dirs)
    composed.tree[WATCHING] = {"name": "none"}
    return composed


def with_auto(config: Config, auto: Mapping[str, Any], source: Path) -> Config:
    """The config with each `auto` that comes from `source` replaced by what it became there.

    The saved config keeps `auto`; this is what is built. Where the data, the model or the task was replaced, the
    choices about the data are made anew: they follow from all three.
    """
    tree = copy.deepcopy(config.tree)
    same_parts = not any(config.choices.get(group) for group in ("data", "model", "task"))
    for key, value in auto.items():
        *parents, name = key.split(".")
        node: Any = tree
        for part in parents:
            node = node.get(part, {})
        kept = config.origins.origin(key) == str(source) and (same_parts or not key.startswith("data."))
        if node.get(name) == "auto" and kept:
            node[name] = value
    return dataclasses.replace(config, tree=tree)
