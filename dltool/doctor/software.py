"""The packages that dltool needs, and those of its extras, from pip's metadata: none is imported."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from dltool.core.distribution import distribution, install
from dltool.core.process import VERSION
from dltool.doctor.finding import Finding

# The use of each extra of pyproject.toml; one that is not listed here is shown by its packages only.
PURPOSES = {
    "cjk": "Chinese, Japanese and Korean names in figures",
    "tune": "dltool tune",
    "joblib": "sweeps by hydra/launcher=joblib",
    "submitit": "sweeps on a cluster, hydra/launcher=submitit_slurm",
    "ray": "sweeps and studies on a cluster, sweep.cluster=ray",
    "tensorboard": "logger=tensorboard",
    "wandb": "logger=wandb",
    "mlflow": "logger=mlflow",
    "export": "dltool export --format onnx",
    "text": "data.tokenizer.kind=bpe, 'task.metrics=[bleu]'",
    "timm": "model=timm",
    "test": "the tests",
    "browser": "the tests of pages in a browser",
    "dev": "the linters",
}
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*([^;]*?)\s*(?:;.*extra == ['\"]([\w-]+)['\"].*)?")


def software() -> Iterator[Finding]:
    yield Finding("versions", "dltool", "ok", VERSION)
    text = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    yield Finding("versions", "python", "ok", text)
    required, extras = requirements()
    if not required:
        text = "dltool runs from its source, not installed: its requirements are unknown"
        yield Finding("versions", "packages", "note", text, "pip install -e FOLDER")
    for name, wanted in required.items():
        version = installed(name)
        if version is None:
            yield Finding("versions", name, "problem", "not installed", f"pip install '{name}{wanted}'")
        elif not satisfies(version, wanted):
            text = f"{version}, but dltool needs {wanted}"
            yield Finding("versions", name, "problem", text, f"pip install '{name}{wanted}'")
        else:
            yield Finding("versions", name, "ok", version)
    for extra, names in extras.items():
        yield of_extra(extra, names)


def of_extra(extra: str, names: dict[str, str]) -> Finding:
    missing = [name for name in names if installed(name) is None]
    purpose = PURPOSES.get(extra)
    if missing:
        text = f"not installed: {', '.join(missing)}" + (f"; for {purpose}" if purpose else "")
        return Finding("extras", extra, "note", text, install(extra))
    return Finding("extras", extra, "ok", ", ".join(f"{name} {installed(name)}" for name in names))


def requirements() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Package to the required versions, "<1.4,>=1.3.8": those always needed, and those of each extra.

    An extra's references to other extras, `dltool-torch[tune]`, are omitted: they have lines of their own.
    """
    required: dict[str, str] = {}
    extras: dict[str, dict[str, str]] = {}
    try:
        lines = metadata.requires(distribution()) or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        match = REQUIREMENT.fullmatch(line)
        if match is not None and match[1] != distribution():
            group = extras.setdefault(match[3], {}) if match[3] else required
            group[match[1]] = match[2]
    return required, extras


def installed(name: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version satisfies the requirement; True if `packaging` is not installed."""
    try:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
    except ImportError:
        return True
    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True
