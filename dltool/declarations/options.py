"""The config groups, the folders of their YAML files, and the first line of each file."""

from collections.abc import Sequence
from pathlib import Path

from dltool.core.package import CONFIGS
from dltool.declarations.registry import trusted_registrations
from dltool.trust.sources import trusted_sources

# In the order of the defaults list, in which a later group may choose the options of an earlier one.
GROUPS = {
    "attack": "how an adversary changes inputs",
    "augment": "your own augmentation of training images",
    "task": "the steps of the training algorithm",
    "loss": "the objective; auto follows the data",
    "optim": "the optimizer",
    "schedule": "the learning rate over time",
    "trainer": "length, device, precision, checkpoints",
    "logger": "logs, figures and experiment trackers",
    "diagnostics": "what is measured to see why the network learns",
    "observer": "your own observer of the training",
    "data": "the data set",
    "model": "the network",
    "experiment": "complete recipes, with their measured results",
    "debug": "presets for debugging a training",
}
METRIC = "metric"  # Registered components without a YAML file, which task.metrics names.
LISTED = {**GROUPS, METRIC: "what is measured; 'task.metrics=[NAME]' selects those that fit the data"}
# The module and the class whose fields every option of a group has in addition to its own.
SHARED_SETTINGS = {"model": ("dltool.config.settings", "ModelSettings")}
PRESETS = ("experiment", "debug")  # These are not components; they select options and set fields of the others.


def primary_directory() -> Path:
    """dltool's own configs."""
    return CONFIGS


def option_files(group: str, config_dirs: Sequence[Path] = ()) -> dict[str, Path]:
    """Option name to file; dltool's own first, so that nothing shadows them.

    A component that a trusted source registers without a YAML has the Python file as its file.
    """
    files: dict[str, Path] = {}
    for directory in config_folders(config_dirs):
        for path in sorted((directory / group).glob("*.yaml")):
            files.setdefault(path.stem, path)
    for one in trusted_registrations():
        if one.group == group:
            files.setdefault(one.name, one.path)
    return files


def config_folders(config_dirs: Sequence[Path]) -> tuple[Path, ...]:
    """The folders of options: dltool's own, then the given ones, then those next to trusted code."""
    trusted = [source.configs for source in trusted_sources() if source.configs.is_dir()]
    return tuple(dict.fromkeys((primary_directory(), *config_dirs, *trusted)))


def summary(path: Path) -> str:
    """The description of an option: the first comment of its YAML that is not a directive."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            text = line.removeprefix("#").strip()
            if line.startswith("#") and text and not text.startswith("@package"):
                return text
    return ""
