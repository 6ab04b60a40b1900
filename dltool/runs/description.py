"""One run in full: its settings, its results, its files."""

import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dltool.config.check import COMPONENT_GROUPS, check
from dltool.config.compose import compose
from dltool.config.tree import leaves
from dltool.core.safe_read import read_text
from dltool.core.shell import setting
from dltool.declarations.kinds import REQUIRED
from dltool.declarations.options import option_files
from dltool.declarations.source import component
from dltool.runs.catalog import RunRecord
from dltool.runs.comparison import MISSING, NO_CONFIG, read_environment


@dataclass(frozen=True)
class Size:
    """A file, or everything in a folder.

    Attributes:
        name: Below the run folder; a folder's ends in a slash.
        num_bytes: Total of all files in it.
        note: The pointers to it: "last", "best".
    """

    name: str
    num_bytes: int
    note: str = ""


def describe(record: RunRecord) -> dict[str, Any]:
    """All facts of a run, as `dltool runs show --json` prints them."""
    environment = read_environment(record)
    return {
        **record.as_dict(),
        "changed": changed_config(record.config),
        "environment": environment,
        "checkpoints": [asdict(one) for one in checkpoint_sizes(record.path)],
        "files": [asdict(one) for one in file_sizes(record.path)],
    }


def changed_config(config: dict[str, Any]) -> dict[str, Any]:
    """The keys of a config that differ from their defaults.

    A field's default is that of the run's own model, optimizer and so on, as `dltool train model=NAME` has it: a model
    may choose another rate or penalty. The default of their names is that of `dltool train`. Keys unknown to this
    version of dltool count as changed.
    """
    usual, of_model = usual_config(), usual_config(config.get("model.name"))
    defaults: dict[str, Any] = {}
    for group in COMPONENT_GROUPS:
        defaults[f"{group}.name"] = usual[group]["name"]
        try:
            fields = component(group, config[f"{group}.name"]).all_fields
        except (KeyError, TypeError):
            continue
        known = {name: field.default for name, field in fields.items() if field.default is not REQUIRED}
        defaults |= leaves(known, f"{group}.")
        if of_model[group]["name"] == config[f"{group}.name"]:
            defaults |= leaves({key: of_model[group][key] for key in of_model[group].keys() & known}, f"{group}.")
    defaults |= leaves({name: field.default for name, field in component("root", "train").fields.items()})
    changed = {key: value for key, value in config.items() if value != defaults.get(key, MISSING)}
    return {key: value for key, value in changed.items() if key not in NO_CONFIG}


@functools.cache
def usual_config(model: str | None = None) -> dict[str, Any]:
    """The config of `dltool train`, or of `dltool train model=NAME` where such an option exists."""
    if model not in option_files("model"):
        return check(compose([])).tree
    return compose([setting("model", model)]).tree


def checkpoint_sizes(run: Path) -> list[Size]:
    """The checkpoints, oldest first, with the pointers `last` and `best` to them."""
    folder = run / "checkpoints"
    pointers: dict[str, list[str]] = {}
    for pointer in ("last", "best"):
        if (folder / pointer).is_file():
            target = read_text(folder / pointer).strip()
            pointers.setdefault(target, []).append(pointer)
    steps = sorted(path for path in folder.glob("step-*") if path.is_dir())
    return [Size(path.name, num_bytes(path), ", ".join(pointers.get(path.name, []))) for path in steps]


def file_sizes(run: Path) -> list[Size]:
    """The content of the run folder, by name."""
    paths = sorted(path for path in run.iterdir() if not path.name.startswith("."))
    return [Size(path.name + "/" * path.is_dir(), num_bytes(path)) for path in paths]


def num_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder; a link counts as itself, not as its target."""
    return sum(found.lstat().st_size for found in _files(path))


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for below in path.iterdir():
        yield from _files(below)
