"""Whether the files that a run continues from are as dltool wrote them, by their SHA-256 in its environment.json.

That finds an edit by hand and a flipped bit, not a forgery. status.json is not among them: it is a report, from which
nothing continues. Runs of earlier versions have no record, and are taken as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.safe_read import read_json, read_regular
from dltool.core.shell import quoted

CHECKSUMS = "sha256"  # Key of environment.json: the name of a file to the hashes that it may have.
ITSELF = "environment.json"
CONTINUED_FROM = ("format", "auto", "init_from", "trusted")


def checksums(folder: Path, names: Mapping[str, bytes | None], environment: Mapping[str, Any]) -> dict[str, list[str]]:
    """The record of files.

    Args:
        folder: The run folder.
        names: Files, with the content that each is about to get; None for one that stays. The present content of one
            that changes counts too, since a kill may come before the change.
        environment: The content of environment.json.
    """
    found = {name: [one for one in (hash_of(folder / name), sha256(new)) if one] for name, new in names.items()}
    return {**{name: hashes for name, hashes in found.items() if hashes}, ITSELF: [own_hash(environment)]}


def edited(folder: Path, environment: Mapping[str, Any]) -> list[str]:
    """The names of the files that are not as dltool wrote them; a missing one is not among them."""
    record = environment.get(CHECKSUMS)
    if not isinstance(record, dict):
        return []
    now = {name: own_hash(environment) if name == ITSELF else hash_of(folder / Path(name).name) for name in record}
    return [
        name
        for name, hashes in record.items()
        if now[name] is not None and not (isinstance(hashes, list) and now[name] in hashes)
    ]


def check_unedited(folder: Path) -> None:
    """Raise ConfigError if a file has changed that a resumed training continues from."""
    if names := edited(folder, read_json(folder / ITSELF)):
        raise ConfigError(
            f"{', '.join(names)} of {folder} changed since dltool wrote it, so the training would not be the same",
            f"restore the file; or train from scratch with it: dltool train --from {quoted(folder)}",
        )


def sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def hash_of(path: Path) -> str | None:
    """The SHA-256 of a file; None if it does not exist."""
    try:
        return sha256(read_regular(path))
    except FileNotFoundError:
        return None


def own_hash(environment: Mapping[str, Any]) -> str:
    """The SHA-256 of the values in environment.json that a training continues from; the others are a report."""
    values = {key: environment.get(key) for key in CONTINUED_FROM}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
