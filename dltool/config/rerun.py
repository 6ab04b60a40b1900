"""A run's config used again: what may change on resume, and the automatic choices of the run."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.config.check import Config, check
from dltool.config.compose import UNSET, Composed, compose_from, parse_overrides
from dltool.config.data_roles import LOCATIONS, keys_with_role
from dltool.config.tree import leaves
from dltool.config.trusted_code import WATCHING
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted, setting
from dltool.trust.sources import trust_flags

# Length, stopping, checkpoints, logging, observers; device and threads; debugging. The data's keys of RESUMABLE are
# added. Any other change would make it a different training.
CHANGEABLE = (
    *("trainer.epochs", "trainer.steps", "trainer.stop_when_overfit", "stop"),
    *("trainer.checkpoint", "trainer.test", "logger", "diagnostics", WATCHING),
    *("trainer.device", "trainer.threads", "trainer.compile", "trainer.devices", "trainer.timeout_minutes"),
    *("trainer.detect_anomaly", "trainer.profile_steps"),
)

# Roles (dltool.declarations.component) of the data's keys that may change on resume, as the data stays the same:
# dltool.training.resume compares its fingerprint.
RESUMABLE = ("Placement", *LOCATIONS)

# Keys whose `auto` follows the data, the model and the task; see dltool.engine.length.
OF_THE_LENGTH = (
    *("trainer.epochs", "trainer.stop_when_overfit", "trainer.evaluate_every_n_epochs", "trainer.test"),
    *("trainer.checkpoint.every_n_epochs", "trainer.checkpoint.metric"),
)

# The same for keys of other groups; see SupervisedTask.
OF_THE_SIZE = ("task.l2",)


def compose_resume(path: Path, overrides: list[str], auto: Mapping[str, Any]) -> tuple[Config, Config]:
    """A run's config with overrides: the config to save and the config to build.

    Args:
        path: The run's config.yaml.
        overrides: The changes.
        auto: Dotted key to the value of each `auto` in the run.

    Raises:
        ConfigError: An override sets a key that must not change; the message has the values before and after.
    """
    refusal = " and cannot become {value} on resume"
    config = compose_changed(path, overrides, CHANGEABLE, refusal, roles=("data", *RESUMABLE))
    return config, with_auto(config, auto, path, unchanged=RESUMABLE)


def compose_changed(
    path: Path,
    overrides: Sequence[str],
    allowed: Sequence[str],
    refusal: str,
    config_dirs: Sequence[Path] = (),
    roles: Sequence[str] = (),
) -> Config:
    """A run's config with overrides of some keys.

    Args:
        path: The run's config.yaml.
        overrides: The changes.
        allowed: Keys that may change, with all keys below them.
        refusal: End of the message for any other key, with "{value}" for the new value; "{allowed}" lists the keys that
            may change.
        config_dirs: As in compose.
        roles: A group, then roles: the keys of its component with one of them may change too; see
            dltool.declarations.component.

    Raises:
        ConfigError: An override sets any other key; the message has the values before and after.
    """
    watched = WATCHING in allowed or any(one.key_or_group.startswith(WATCHING) for one in parse_overrides(overrides))
    if not overrides:
        return check(compose_from(path, []) if watched else unwatched(path))
    before = check(unwatched(path))
    if roles:
        allowed = [*allowed, *keys_with_role(before.components[roles[0]], *roles[1:])]
    after = check(compose_from(path, overrides, config_dirs) if watched else unwatched(path, overrides, config_dirs))
    old, new = dict(leaves(before.tree)), dict(leaves(after.tree))
    for key in sorted(old | new, key=lambda key: (not key.endswith(".name"), key)):  # An option before its fields.
        if old.get(key) != new.get(key) and not any(key == k or key.startswith(f"{k}.") for k in allowed):
            chosen = key.removesuffix(".name")
            command = f"dltool train {trust_flags()}--from {quoted(path.parent)} {setting(chosen, new.get(key))}"
            raise ConfigError(
                f"{key} was {old.get(key)} in this run"
                + refusal.format(value=new.get(key), allowed=", ".join(allowed)),
                f"start a new training: {command}",
            )
    return after


def unwatched(path: Path, overrides: Sequence[str] = (), config_dirs: Sequence[Path] = ()) -> Composed:
    """A run's config with overrides, without the user's own observer, whose code is not needed to use a run."""
    composed = compose_from(path, overrides, config_dirs)
    composed.tree[WATCHING] = {"name": "none"}
    return composed


def with_auto(
    config: Config, auto: Mapping[str, Any], source: Path, *, unchanged: Sequence[str] = ("Placement",)
) -> Config:
    """The config with each `auto` that comes from `source` replaced by its value there.

    The saved config keeps `auto`; this config is built. If the data, the model or the task was replaced, the automatic
    choices about the data, the length and the penalty are made again, since they depend on all three. The length and
    the penalty are also chosen again if any key of the data changed, unless it has a role of `unchanged`; the length is
    left to `trainer.steps` if that was set.
    """
    tree = copy.deepcopy(config.tree)
    same_parts = not any(config.choices.get(group) for group in ("data", "model", "task"))
    same_length = same_parts and not data_changed(config, source, unchanged)
    for key, value in auto.items():
        *parents, name = key.split(".")
        node: Any = tree
        for part in parents:
            node = node.get(part, {})
        kept = config.origins.origin(key) == str(source) and (same_parts or not key.startswith("data."))
        if key in OF_THE_LENGTH or key in OF_THE_SIZE:
            kept = kept and same_length
        if key == "trainer.epochs":
            kept = kept and config.origins.origin("trainer.steps") == str(source)
        if node.get(name) == "auto" and kept:
            node[name] = value
    return dataclasses.replace(config, tree=tree)


def data_changed(config: Config, source: Path, unchanged: Sequence[str]) -> bool:
    """Whether keys of the data, other than those of the roles `unchanged`, differ from those of the source."""
    without = keys_with_role(config.components["data"], *unchanged)
    keys = [key for key, _ in leaves({"data": config["data"]}) if key not in without]
    return not {config.origins.origin(key) for key in keys} <= {str(source), UNSET}


def reused_choices(config: Config, built: Config) -> dict[str, Any]:
    """Dotted key to the value of each `auto` of the config that `with_auto` replaced in the one that is built."""
    values = dict(leaves(built.tree))
    return {key: values[key] for key, value in leaves(config.tree) if value == "auto" != values.get(key, "auto")}
