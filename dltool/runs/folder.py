"""A run is a folder: its config, its log, its checkpoints, its state.

config.yaml        complete; `dltool train --from RUN` repeats the run
metrics.jsonl      one object per line: {"step", "epoch", "split", "<split>/<name>": value, …}
status.json        its state: running, finished, interrupted or failed
environment.json   format, versions, device, threads, git commit, command line, trusted code, what each `auto` became
preprocessing.json how raw samples become the model's inputs, and the meaning of its outputs
data.json          the fingerprint of the data: hashes of its files, or the settings of its generator
summary.json       facts for the page of the run: sizes, baselines, layers
points.json        the samples of data that can be drawn, for the playground of the page
plane.json         the predictions over these samples, for the page
skipped.txt        the files that were left out because they cannot be decoded, if there are any
report.html        the page of the run
checkpoints/  plots/  samples/  profile/  log.txt
"""

import copy
import errno
import functools
import json
import operator
import os
import platform
import shutil
import time
from pathlib import Path
from typing import Any

from dltool.config.trusted_code import ENVIRONMENT, record_of
from dltool.core.addresses import without_secrets
from dltool.core.distribution import distribution
from dltool.core.errors import ConfigError
from dltool.core.printable import printable
from dltool.core.process import VERSION, command
from dltool.core.safe_path import SafePath, sync_folder
from dltool.core.safe_read import malformed, read_json
from dltool.core.shell import quoted, setting
from dltool.runs.commit import checked_out_commit
from dltool.runs.lock import FolderLock
from dltool.runs.never_began import never_began
from dltool.runs.unedited import CHECKSUMS, checksums
from dltool.trust.command_line import COMMAND_LINE_ONLY
from dltool.trust.sources import trust_flags, trusted_sources

STATUS, CONFIG, METRICS = "status.json", "config.yaml", "metrics.jsonl"
SWEEP, STUDY = "sweep.json", "journal.log"  # In folders of runs: dltool.search.folder and study.
PREPROCESSING, DATA, LOG = "preprocessing.json", "data.json", "log.txt"
# The run format in environment.json. 1: dltool 0.1, which wrote no number. 2: names of dltool.config.renamed.
FORMAT = 2
FLAT_PACKAGES = ("torch", "torchvision", "numpy", "hydra-core", "omegaconf")


class RunFolder:
    """The folder of one run, locked by one process at a time.

    Attributes:
        path: As the user would type it, relative to the working directory if it is below it.
        files: The same folder, for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = SafePath(path)
        self.lock = FolderLock(path)

    @classmethod
    def create(cls, directory: str | None, root: Path, name: str) -> "RunFolder":
        """Create a new folder: `directory`, or root/<date>/<time>_<name>[-n].

        The creation is exclusive, so that runs started in the same second get separate folders.

        Raises:
            ConfigError: If `directory` already exists, or is not writable.
        """
        path = Path(directory).expanduser() if directory is not None else root
        try:
            if directory is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir()
            else:
                path = make_dated(root, name)
        except FileExistsError as error:
            if os.path.lexists(path) and directory is not None:
                raise existing(path) from error
            raise not_created(path, "it is a link to a folder that does not exist, or a file") from error
        except OSError as error:
            raise not_created(Path(directory) if directory else root, error.strerror) from error
        for parent in (path.parent, path.parent.parent):
            sync_folder(parent)
        run = cls(path)
        run.hold()
        return run

    @staticmethod
    def check_creatable(directory: str | None, root: Path) -> None:
        """Raise the ConfigError of `create` as far as it can be foreseen, before the training is prepared."""
        path = Path(directory).expanduser() if directory is not None else root
        if directory is not None and os.path.lexists(path):
            raise existing(path)
        above = next((parent for parent in (path, *path.absolute().parents) if parent.exists()), path)
        if not os.access(above, os.W_OK | os.X_OK):
            raise not_created(path, os.strerror(errno.EACCES if above.is_dir() else errno.ENOTDIR))

    @classmethod
    def open(cls, name: str) -> "RunFolder":
        """The folder of an existing run.

        Raises:
            ConfigError: If it is not a run folder, or a newer dltool wrote it.
        """
        path = Path(name).expanduser()
        if (path / SWEEP).is_file():
            command = read_json(path / SWEEP).get("command")
            if not isinstance(command, list):
                raise malformed(path / SWEEP, "it has no command")
            words = [str(word) for word in command if not str(word).startswith("sweep.dir=")]
            raise ConfigError(
                f"{path.resolve()} contains a sweep, not a run",
                quoted(*words) + " " + setting("sweep.dir", path),
            )
        if not (path / CONFIG).is_file():
            if (error := never_began(path)) is not None:
                raise error
            what = "is not a run folder: it has no config.yaml" if path.is_dir() else "does not exist"
            raise ConfigError(f"{path.resolve()} {what}", "name a folder created by `dltool train`, below outputs/")
        check_format(path)
        return cls(path)

    def hold(self) -> None:
        """Keep other processes from writing to this run. Raises ConfigError if another one has locked it."""
        self.lock.hold("is training")

    def check_writable(self) -> None:
        """Raise ConfigError if nothing can be written here, before torch is imported for it."""
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise ConfigError(
                f"{self.path.resolve()} is not writable, so the run cannot continue in it",
                f"chmod u+w {quoted(self.path)}, or continue in a copy of it",
            )

    def close(self) -> None:
        """Allow other processes, or another training in this one, to write to this run."""
        self.lock.release()

    def abandon(self) -> None:
        """Remove the folder, which was made for a training that cannot begin."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def profile(self) -> Path:
        return self.path / "profile"

    @property
    def metrics(self) -> Path:
        return self.path / METRICS

    def write_config(self, tree: dict[str, Any]) -> None:
        """Write config.yaml, after its SHA-256. Keys that only a command line may set keep their defaults."""
        from omegaconf import OmegaConf

        saved = copy.deepcopy(tree)
        saved["run"]["dir"] = None  # Each folder is used only once.
        for key, rule in COMMAND_LINE_ONLY.items():
            *groups, name = key.split(".")
            node = functools.reduce(operator.getitem, groups, saved)
            if name in node and not rule.harmless(node[name]):
                node[name] = rule.default
        header = f"# dltool train {trust_flags()}--from {quoted(self.path)}\n"
        content = without_secrets(header + OmegaConf.to_yaml(OmegaConf.create(saved))).encode()
        if environment := self.read_environment():
            files = {CONFIG: content, PREPROCESSING: None, DATA: None}
            self.write_environment({**environment, CHECKSUMS: checksums(self.path, files, environment)})
        (self.files / CONFIG).write(content)

    def write_status(self, status: dict[str, Any]) -> None:
        (self.files / STATUS).write(as_json(status))

    def read_status(self) -> dict[str, Any]:
        return read_json(self.path / STATUS)

    def write_environment(self, environment: dict[str, Any]) -> None:
        (self.files / ENVIRONMENT).write(as_json(environment))

    def read_environment(self) -> dict[str, Any]:
        return read_json(self.path / ENVIRONMENT)

    def write_preprocessing(self, preprocessing: dict[str, Any]) -> None:
        (self.files / PREPROCESSING).write(as_json(preprocessing))

    def read_preprocessing(self) -> dict[str, Any]:
        """See dltool.data.preprocessing; empty for a run without it."""
        return read_json(self.path / PREPROCESSING)

    def write_data(self, fingerprint: dict[str, Any]) -> None:
        (self.files / DATA).write(as_json(fingerprint))

    def read_data(self) -> dict[str, Any]:
        """See dltool.data.fingerprint; empty for a run without it."""
        return read_json(self.path / DATA)

    def read_auto(self) -> dict[str, Any]:
        """Dotted key to the value of each automatic choice."""
        auto = self.read_environment().get("auto", {})
        if not isinstance(auto, dict):
            raise malformed(self.path / ENVIRONMENT, "its key auto is no object")
        return auto

    def note(self, line: str) -> None:
        """Append a line with a time stamp to log.txt."""
        with (self.files / LOG).append() as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable(line)}\n".encode())


def existing(path: Path) -> ConfigError:
    """The error for a new run in a folder that exists."""
    if (error := never_began(path)) is not None and any(path.iterdir()):
        return error
    if (path / STATUS).is_file():
        resume = f"dltool resume {trust_flags()}{quoted(path)}, or another run.dir"
        return ConfigError(f"run.dir={path} already contains a run ({path.resolve()})", resume)
    return ConfigError(f"run.dir={path} already exists ({path.resolve()})", "another run.dir")


def not_created(path: Path, reason: str | None) -> ConfigError:
    """The error for a folder in which nothing can be created."""
    message = f"the run folder cannot be created in {path.resolve()}: {reason}"
    return ConfigError(message, "run.dir=FOLDER names a writable one")


def check_format(path: Path) -> None:
    """Raise ConfigError for a run in a format that this dltool cannot read."""
    written = read_json(path / ENVIRONMENT).get("format", 1)
    if not isinstance(written, int) or not 1 <= written <= FORMAT:
        raise ConfigError(
            f"{path.resolve()} has the run format {written}; dltool {VERSION} reads the formats 1 to {FORMAT}",
            f"pip install --upgrade {quoted(distribution())}",
        )


def make_dated(root: Path, name: str) -> Path:
    """Create a new folder, root/<date>/<time>_<name>[-n]."""
    return make_unique(root / time.strftime("%Y-%m-%d"), f"{time.strftime('%H-%M-%S')}_{name}")


def make_unique(parent: Path, name: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for n in range(1, 10_000):
        path = parent / (name if n == 1 else f"{name}-{n}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{parent / name}")


def as_json(content: dict[str, Any]) -> str:
    """The format of JSON files in a run folder: indented; values that JSON cannot represent become text.

    Passwords and tokens in addresses are left out.
    """
    return without_secrets(json.dumps(content, indent=1, ensure_ascii=False, default=str)) + "\n"


def describe_environment() -> dict[str, Any]:
    """Versions, machine, git commit, command line, trusted code: what a result depends on besides its config."""
    from importlib import metadata  # 20 ms, which `dltool --help` and completion do not need.

    versions = {}
    for package in FLAT_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "format": FORMAT,
        "versions": {"python": platform.python_version(), "dltool": VERSION, **versions},
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "git_commit": checked_out_commit(Path.cwd()),
        "command": command(),
        "working_directory": str(Path.cwd()),
        "trusted": [record_of(source) for source in trusted_sources()],
    }
