"""The record of a run's trusted code, and which code its config may name when the run is used again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.printable import printable
from dltool.core.safe_read import MISREAD, read_json
from dltool.core.shell import quoted, setting
from dltool.declarations.registry import own_registrations, registrations_of
from dltool.trust.sources import TrustedSource, read_source, trusted_sources

ENVIRONMENT = "environment.json"  # In a run folder, next to its config; its key "trusted" is a list of records.
WATCHING = "observer"  # The group whose code does not affect results, and may change.
WITHOUT = {WATCHING: "; observer=none continues without it"}
ANEW = "start a new training: dltool train --trust FILE.py"


def check_trusted_code(groups: Mapping[str, Any], origin: Callable[[str], str]) -> None:
    """Check that the trusted components that a config names have the code that the config's run used.

    Args:
        groups: Group to its part of the config.
        origin: Dotted key to the origin of its value.

    Raises:
        ConfigError: See check_against_run.
    """
    nodes = {group: node for group, node in groups.items() if isinstance(node, dict)}
    named = [(group, node.get("name"), f"{group}.name") for group, node in nodes.items()]
    metrics = nodes.get("task", {}).get("metrics")
    named += [("metric", name, "task.metrics") for name in metrics] if isinstance(metrics, list) else []
    for group, name, key in named:
        if isinstance(name, str) and name not in own_registrations()[group]:
            check_against_run(group, name, origin(key))


def check_against_run(group: str, name: str, config: str) -> None:
    """Check that a component that does not belong to dltool has the code that the config's run used.

    Args:
        group: The component's group.
        name: The component's name.
        config: The origin of the component's name, such as the path of a run's config.yaml. Any code is accepted if
            there is no run next to it.

    Raises:
        ConfigError: The code is not trusted now, or has changed.
    """
    record = next((one for one in read_records(Path(config)) if f"{group}={name}" in one["registers"]), None)
    if record is None:
        return
    path, sha256 = printable(record["path"]), printable(record["sha256"])[:12]
    given = next((source for source in trusted_sources() if f"{group}={name}" in registered(source)), None)
    if given is None:
        what, hint = state_of(record)
        raise ConfigError(
            f"{group}={name} does not belong to dltool: the run used {path} (SHA-256 {sha256}…){what}",
            (hint or f"restore the file, or {ANEW} {setting(group, printable(name))}") + WITHOUT.get(group, ""),
        )
    if given.sha256 != record["sha256"] and group != WATCHING:
        raise ConfigError(
            f"{given.path} (SHA-256 {given.sha256[:12]}…) is not the code of {group}={name} in this run: that was "
            f"{'the same file with' if path == str(given.path) else f'{path},'} SHA-256 {sha256}…",
            f"restore the file, or {ANEW} {setting(group, printable(name))}",
        )


def registered(source: TrustedSource) -> list[str]:
    """The components that a source registers, such as "model=mine"."""
    return [f"{one.group}={one.name}" for one in registrations_of(source)]


def record_of(source: TrustedSource) -> dict[str, Any]:
    """The record of a run's trusted code."""
    return {"path": str(source.path), "sha256": source.sha256, "registers": registered(source)}


def trusted_code() -> dict[str, str]:
    """Registered component to the start of its code's SHA-256; it must be the same when a search continues."""
    return {f"trusted {name}": source.sha256[:16] for source in trusted_sources() for name in registered(source)}


def read_records(config: Path) -> list[dict[str, Any]]:
    """The records next to a config; empty for a file that no run wrote, or a damaged one."""
    try:
        environment = read_json(config.parent / ENVIRONMENT)
        records = [
            {"path": str(one["path"]), "sha256": str(one["sha256"]), "registers": [str(n) for n in one["registers"]]}
            for one in environment["trusted"]
        ]
    except (OSError, *MISREAD):
        return []
    return records


def state_of(record: dict[str, Any]) -> tuple[str, str | None]:
    """The state of a recorded file as text, and a hint; None instead of a hint if the file has changed."""
    path = Path(record["path"])
    try:
        now = read_source(path)
    except ConfigError:
        return ", which no longer exists", "--trust FILE.py names the file at its new place"
    if now.sha256 != record["sha256"]:
        return ", which has changed since", None
    return "", f"--trust {quoted(printable(str(path)))}"


def reread(records: list[dict[str, Any]]) -> list[TrustedSource]:
    """Read the sources that another process recorded again.

    Raises:
        ConfigError: A source has changed.
    """
    sources = [read_source(Path(one["path"])) for one in records]
    for source, record in zip(sources, records, strict=True):
        if source.sha256 != record["sha256"]:
            raise ConfigError(
                f"{source.path} has changed since this search started", "restore the file, or start a new search"
            )
    return sources
