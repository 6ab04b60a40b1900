"""The runs below a folder, found and read from their folders only: no server, no database, no torch."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.numerals import numeral
from dltool.core.safe_read import MISREAD, decode_object, open_regular, read_regular
from dltool.runs.folder import CONFIG, STATUS, STUDY, SWEEP
from dltool.runs.lock import LOCK, is_held
from dltool.runs.never_began import never_began

ENDED = ("finished", "interrupted", "failed")
STATES = ("running", *ENDED, "killed", "damaged")
FIELDS = ("run", "state", "date", "step", "epoch", "seconds", "samples_per_second", "parameters", "stopped_by", "error")
MAX_DEPTH = 4  # outputs/<date>/<time>_sweep/<job> is three folders deep.
DATE_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)/(\d\d)-(\d\d)-(\d\d)_[^/]*$")


@dataclass(frozen=True)
class RunRecord:
    """One run, as read from its folder.

    Attributes:
        path: As the user would type it, relative to the working directory if it is below it.
        state: One of STATES. "killed" is a run whose status.json says running although no process is; "damaged" is one
            whose status.json cannot be read.
        date: Start in local time, "2026-11-20 14:18:25"; comparisons also accept a prefix.
        parameters: Number of parameters of the model; None where unknown.
        step, epoch, seconds: How far it came, and the total time; None where unknown.
        total_steps: The length of the training, unless a rule stops it earlier; None where unknown.
        metrics: Latest value of each `split/name`.
        main_metric: The metric that runs of its task are compared by, and "min" or "max".
        config: Dotted key to value.
    """

    path: Path
    state: str
    date: str = ""
    step: int | None = None
    epoch: int | None = None
    total_steps: int | None = None
    seconds: float | None = None
    samples_per_second: float | None = None
    parameters: int | None = None
    stopped_by: str | None = None
    tested: str | None = None
    error: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    main_metric: tuple[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The run as a JSON object, with its path under "run"."""
        fields = asdict(self)
        return {"run": str(fields.pop("path")), **fields}

    def has(self, key: str) -> bool:
        return key in self.config or key in self.metrics or key in FIELDS

    def value(self, key: str) -> Any:
        """Value of a config key, a metric or one of FIELDS; None if the run lacks it."""
        if key in self.config:
            return self.config[key]
        if key in self.metrics:
            return self.metrics[key]
        return str(self.path) if key == "run" else getattr(self, key) if key in FIELDS else None


def find_runs(root: Path, others: dict[Path, int] | None = None) -> Iterator[Path]:
    """Every folder at or below `root` that contains a run, without repetition.

    The search does not descend into run folders and skips hidden folders. It follows links last, so that a run keeps
    its own name, and visits no folder twice, so that a loop ends.

    Args:
        root: Where the search begins.
        others: Receives the other folders that were read, with their modification times in nanoseconds: as long as
            these are the same, so are the runs.
    """
    seen: set[tuple[int, int]] = set()
    links: list[tuple[Path, int]] = []
    others = {} if others is None else others
    yield from _walk(root, 0, seen, links, others)
    while links:
        yield from _walk(*links.pop(0), seen, links, others)


def _walk(
    folder: Path,
    depth: int,
    seen: set[tuple[int, int]],
    links: list[tuple[Path, int]],
    others: dict[Path, int],
) -> Iterator[Path]:
    try:
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            return
        seen.add((stat.st_dev, stat.st_ino))
        if is_run(folder):
            yield folder
            return
        others[folder] = stat.st_mtime_ns
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name) if depth < MAX_DEPTH else []
    except OSError:  # Removed meanwhile, or not readable.
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            links.append((Path(entry.path), depth + 1))
        elif entry.is_dir():
            yield from _walk(Path(entry.path), depth + 1, seen, links, others)


def is_run(folder: Path) -> bool:
    return (folder / STATUS).exists() or (folder / CONFIG).exists()


def is_search(folder: Path) -> bool:
    """Whether a folder is that of a sweep or a study."""
    return (folder / SWEEP).is_file() or (folder / STUDY).is_file()


def find_search(word: str, root: Path) -> Path | None:
    """The folder of the sweep or study that a word names, as a path or below `root`; None if it names none."""
    return next((path for path in (Path(word).expanduser(), root / word) if is_search(path)), None)


def runs_of_search(folder: Path) -> list[RunRecord]:
    """The runs of a sweep or a study that have begun, by name."""
    return [read_run(path.parent) for path in sorted(folder.glob(f"*/{STATUS}"))]


def read_runs(root: Path) -> list[RunRecord]:
    """All runs below a folder, the newest first."""
    records = [read_run(path) for path in find_runs(root)]
    return sorted(records, key=lambda record: (record.date, str(record.path)), reverse=True)


def read_run(path: Path) -> RunRecord:
    """The run in a folder; one that cannot be read is a record too, with the state "damaged"."""
    path = as_typed(path)
    date = start_date(path)
    try:
        status = decode_object(read_regular(path / STATUS), path / STATUS)
        state, seconds = status["state"], status["seconds"]["total"]
        metrics = {str(name): float(value) for name, value in status["metrics"].items() if value is not None}
        config = dict(status["config"])
        name, direction = status.get("main_metric") or ("", "")
        main_metric = (str(name), str(direction)) if name else None
    except FileNotFoundError:  # It has not reached its first step.
        if not (path / LOCK).exists():
            return RunRecord(path, "damaged", date, error=f"{STATUS} is missing")
        return RunRecord(path, "running" if is_held(path) else "killed", date)
    except (OSError, *MISREAD):
        return RunRecord(path, "damaged", date, error=f"{STATUS} cannot be read")
    if state == "running" and not is_held(path, status.get("pid")):
        state = "killed"
    return RunRecord(
        path,
        state if state in STATES else "damaged",
        date,
        step=status.get("step"),
        epoch=status.get("epoch"),
        total_steps=status.get("total_steps"),
        seconds=seconds,
        samples_per_second=status.get("samples_per_second"),
        parameters=status.get("parameters"),
        stopped_by=status.get("stopped_by"),
        tested=status.get("tested"),
        error=status.get("error"),
        metrics=metrics,
        config=config,
        main_metric=main_metric,
    )


def start_date(path: Path) -> str:
    """When a run began: from its path, or else from the first line of its log; a resume changes neither.

    The last resort is the modification time of its status or its folder.
    """
    if match := DATE_AND_TIME.search(path.as_posix()):
        return f"{match[1]} {match[2]}:{match[3]}:{match[4]}"
    try:
        with open_regular(path / "log.txt") as log:
            first = log.readline(200)[:19].decode(errors="replace")
        time.strptime(first, "%Y-%m-%d %H:%M:%S")
        return first
    except (OSError, ValueError):
        changed = next((p.stat().st_mtime for p in (path / STATUS, path) if p.exists()), 0.0)
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(changed))


def as_typed(path: Path) -> Path:
    """The path relative to the working directory if it is below it."""
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return path.relative_to(Path.cwd())
    return path


def find_run(name: str, root: Path) -> Path:
    """The run folder given by a path, or by the last part or parts of a path below `root`.

    Raises:
        ConfigError: If none matches, with the nearest name, or if several do.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not is_run(path):
            if (error := never_began(path)) is not None:
                raise error
            hint = "`dltool runs` lists the run folders"
            raise ConfigError(f"{path.resolve()} is not a run folder: it has neither {CONFIG} nor {STATUS}", hint)
        return as_typed(path)
    paths = [as_typed(found) for found in find_runs(root)]
    parts = path.parts
    matches = [found for found in paths if parts and found.parts[-len(parts) :] == parts]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ConfigError(f"{name} matches {len(matches)} runs: {', '.join(map(str, matches))}", "type the whole path")
    near = nearest(path.name, {found.name.lower(): None for found in paths})
    found = next((found for found in paths if found.name.lower() == near), None)
    hint = f"did you mean {found}?" if found else "`dltool runs` lists the run folders"
    raise ConfigError(f"there is no run {name}, neither as a path nor below {root.resolve()}", hint)


def known_keys(records: Iterable[RunRecord]) -> list[str]:
    """FIELDS, then every config key, then every metric of any of the runs."""
    records = list(records)
    keys = dict.fromkeys(FIELDS)
    for record in records:
        keys |= dict.fromkeys(record.config)
    for record in records:
        keys |= dict.fromkeys(record.metrics)
    return list(keys)


def as_text(value: Any) -> str:
    """A value as typed in an override, a float in its shortest form."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_text, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{as_text(inner)}' for key, inner in value.items())}}}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_metric(value: Any) -> str:
    """A measured number with its significant digits; empty for None."""
    return numeral(value) if isinstance(value, int | float) else ""
