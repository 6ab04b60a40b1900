"""What a run remembers of the code that it trusted, and what its config may ask for when it is used again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.safe_path import read_regular
from dltool.core.shell import quoted, setting
from dltool.declarations.registration import registrations_of
from dltool.declarations.registry import own_registrations
from dltool.trust.sources import TrustedSource, read_source, trusted_sources

ENVIRONMENT = "environment.json"  # Of a run folder, beside its config; its key "trusted" is a list of records.
WATCHING = "observer"  # The group whose code changes no result, and may be another.
WITHOUT = {WATCHING: "; observer=none goes on without it"}
ANEW = "train anew from options: dltool train --trust FILE.py"


def check_trusted_code(groups: Mapping[str, Any], origin: Callable[[str], str]) -> None:
    """See that what a config names and dltool has not is the code that the run behind that config had.

    Args:
        groups: Group to what the config says of it.
        origin: Dotted key to where it is set.

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
    """See that a component that is none of dltool's is the one that the run behind a config had.

    Args:
        group: Of the component.
        name: Of the component.
        config: Where the config names it, such as the path of a run's config.yaml. Without a run beside that, all is
            well.

    Raises:
        ConfigError: Where its code is not trusted now, or has changed.
    """
    record = next((one for one in read_records(Path(config)) if f"{group}={name}" in one["registers"]), None)
    if record is None:
        return
    path, sha256 = printable(record["path"]), printable(record["sha256"])[:12]
    given = next((source for source in trusted_sources() if f"{group}={name}" in registered(source)), None)
    if given is None:
        what, hint = state_of(record)
        raise ConfigError(
            f"{group}={name} is none of dltool's: the run used {path} (SHA-256 {sha256}…){what}",
            (hint or f"restore the file, or {ANEW} {setting(group, printable(name))}") + WITHOUT.get(group, ""),
        )
    if given.sha256 != record["sha256"] and group != WATCHING:
        raise ConfigError(
            f"{given.path} (SHA-256 {given.sha256[:12]}…) is not the code of {group}={name} in this run: that was "
            f"{'the same file with' if path == str(given.path) else f'{path},'} SHA-256 {sha256}…",
            f"restore the file, or {ANEW} {setting(group, printable(name))}",
        )


def registered(source: TrustedSource) -> list[str]:
    """What a source registers, "model=mine"."""
    return [f"{one.group}={one.name}" for one in registrations_of(source)]


def record_of(source: TrustedSource) -> dict[str, Any]:
    """What a run remembers of its code."""
    return {"path": str(source.path), "sha256": source.sha256, "registers": registered(source)}


def trusted_code() -> dict[str, str]:
    """What is registered to the beginning of its code's SHA-256: what a search that goes on must find again."""
    return {f"trusted {name}": source.sha256[:16] for source in trusted_sources() for name in registered(source)}


def read_records(config: Path) -> list[dict[str, Any]]:
    """The records beside a config; none for a file that a run did not write, or that somebody has damaged."""
    try:
        environment = json.loads(read_regular(config.parent / ENVIRONMENT))
        records = [
            {"path": str(one["path"]), "sha256": str(one["sha256"]), "registers": [str(n) for n in one["registers"]]}
            for one in environment["trusted"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return records


def state_of(record: dict[str, Any]) -> tuple[str, str | None]:
    """What has become of a recorded file, in words, and how to go on; None where it has changed."""
    path = Path(record["path"])
    try:
        now = read_source(path)
    except ConfigError:
        return ", which is not there now", "--trust FILE.py names it, wherever it is"
    if now.sha256 != record["sha256"]:
        return ", which has changed since", None
    return "", f"--trust {quoted(printable(str(path)))}"


def reread(records: list[dict[str, Any]]) -> list[TrustedSource]:
    """The sources that another process recorded, read again.

    Raises:
        ConfigError: Where one has changed.
    """
    sources = [read_source(Path(one["path"])) for one in records]
    for source, record in zip(sources, records, strict=True):
        if source.sha256 != record["sha256"]:
            raise ConfigError(f"{source.path} has changed since this was begun", "restore it, or begin anew")
    return sources


def printable(text: str) -> str:
    """A text of somebody else's file without what could steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
