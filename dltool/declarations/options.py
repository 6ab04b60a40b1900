"""Which groups there are, where their YAML files lie, and the line that each one begins with."""

from collections.abc import Sequence
from pathlib import Path

from dltool.declarations.registry import trusted_registrations
from dltool.trust.sources import trusted_sources

# In the order of the defaults list, in which a later group may choose the options of an earlier one.
GROUPS = {
    "attack": "what an adversary does to inputs",
    "task": "what a training step does, in which order",
    "loss": "what is minimized; auto follows the data",
    "optim": "how a step changes the weights",
    "schedule": "the learning rate over time",
    "trainer": "length, device, precision, checkpoints",
    "logger": "what is written while training",
    "observer": "a class of your own that watches the training",
    "data": "what is learned from",
    "model": "what learns",
    "experiment": "complete recipes, with their measured results",
    "debug": "what finds the error in a training that does not work",
}
# The module and the class whose fields every option of a group takes beside its own.
SHARED_SETTINGS = {"model": ("dltool.config.settings", "ModelSettings")}
PRESETS = ("experiment", "debug")  # They are no components; they choose options and set fields of the others.


def primary_directory() -> Path:
    """dltool's own configs: inside the wheel, or beside the package in a checkout, read live."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def option_files(group: str, config_dirs: Sequence[Path] = ()) -> dict[str, Path]:
    """Option name to file; dltool's own first, so that nothing shadows them.

    The file of what a trusted source registers without a YAML is the Python file itself.
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
    """Where options are looked for: dltool's own, then those that are named, then those beside trusted code."""
    trusted = [source.configs for source in trusted_sources() if source.configs.is_dir()]
    return tuple(dict.fromkeys((primary_directory(), *config_dirs, *trusted)))


def summary(path: Path) -> str:
    """The first comment of a YAML that is no directive: one line that says what the option is."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            text = line.removeprefix("#").strip()
            if line.startswith("#") and text and not text.startswith("@package"):
                return text
    return ""
