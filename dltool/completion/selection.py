"""Which option of each group a command line selects, found from the YAML files without Hydra."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.yaml_text import read_yaml as read_values
from dltool.declarations.options import GROUPS, PRESETS, option_files, primary_directory

Tree = dict[str, Any]


def read_yaml(path: Path) -> Tree:
    """The mapping in a file; empty if the file is missing or unreadable."""
    try:
        tree = read_values(path)
    except ConfigError:
        return {}
    return tree if isinstance(tree, dict) else {}


class Selection:
    """The options that a command line selects, and the values in their files.

    Precedence is that of composition: command line > debug > experiment > model > data > configs/train.yaml.

    Args:
        overrides: The words of the line so far; of several options in a sweep, the first one counts.
        config_dirs: Folders of the user's own groups and options.
        saved: The complete config of the run that the line continues or repeats; empty for none.
    """

    def __init__(self, overrides: Sequence[str], config_dirs: Sequence[Path], saved: Tree) -> None:
        self.config_dirs = config_dirs
        self.saved = saved
        self.typed = {
            key.lstrip("+"): value.partition(",")[0]
            for key, equals, value in (word.partition("=") for word in overrides)
            if equals and key.lstrip("+") in GROUPS
        }
        self.root = read_yaml(primary_directory() / "train.yaml")
        presets = [self.read(group, self.typed.get(group)) for group in PRESETS]
        base, top = defaults(self.root), {k: v for preset in presets for k, v in defaults(preset).items()}
        top |= self.typed
        for group in ("data", "model"):
            base |= defaults(self.read(group, (base | top).get(group)))
        self.options = base | top
        self.presets = presets

    def read(self, group: str, option: str | None) -> Tree:
        """An option's file, merged over those of its group in its defaults list; without a file, only its name."""
        path = option_files(group, self.config_dirs).get(str(option))
        tree = read_yaml(path) if path and path.suffix == ".yaml" else {"name": option}
        entries = tree.get("defaults")
        for other in entries if isinstance(entries, list) else ():
            if isinstance(other, str) and other != "_self_":
                tree = self.read(group, other) | tree
        return tree

    def fields(self, group: str) -> Tree:
        """The values of a group's keys, including its component's name, before command-line overrides."""
        if group in self.saved and group not in self.typed:
            return mapping(self.saved[group])
        tree = self.read(group, self.options.get(group))
        values = dict(mapping(tree[group]) if group in tree else tree)
        for preset in self.presets:
            values |= mapping(preset.get(group))
        return values

    def root_values(self) -> Tree:
        """The values of the keys outside the groups."""
        return self.root | self.saved


def defaults(tree: Mapping[str, Any]) -> dict[str, str]:
    """Group to option, as a file's defaults list chooses them."""
    entries = tree.get("defaults")
    return {
        str(group).removeprefix("override").strip().removeprefix("/"): str(option)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        for group, option in entry.items()
        if option is not None
    }


def mapping(value: Any) -> Tree:
    return value if isinstance(value, dict) else {}
