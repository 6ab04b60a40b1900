"""Completion of runs: their folders, the newest first, and the keys and values of filters."""

from collections.abc import Iterator
from pathlib import Path

from dltool.completion.answer import Candidate
from dltool.core.safe_read import read_text
from dltool.runs.catalog import (
    FIELDS,
    STATES,
    RunRecord,
    as_metric,
    as_text,
    as_typed,
    find_runs,
    known_keys,
    read_run,
    start_date,
)

MAX_READ = 50  # Runs whose status.json is read.
MAX_SHOWN = 200  # The newest; shells are slow with thousands of words.


def newest(root: Path) -> list[Path]:
    """All runs below a folder, the newest first."""
    paths = map(as_typed, find_runs(root))
    return sorted(paths, key=lambda path: (start_date(path), str(path)), reverse=True)


def run_candidates(root: Path, typed: str) -> list[Candidate]:
    """Whole paths; or, where the end of a path is being typed, the names of folders that are unique."""
    paths = newest(root)
    texts = [str(path) for path in paths if str(path).startswith(typed)]
    if not texts:
        names = [path.name for path in paths]
        texts = [name for name in names if name.startswith(typed) and names.count(name) == 1]
    by_text = {str(path): path for path in paths} | ({path.name: path for path in paths} if typed else {})
    shown = texts[:MAX_SHOWN]
    return [Candidate(text, describe(by_text[text]) if i < MAX_READ else "") for i, text in enumerate(shown)]


def describe(path: Path) -> str:
    """A description such as "finished, test/accuracy 0.9889"."""
    record = read_run(path)
    results = [f"{name} {as_metric(value)}" for name, value in record.metrics.items() if name.startswith("test/")]
    return ", ".join([record.state, *results[:2]])


def checkpoint_candidates(run: Path) -> Iterator[Candidate]:
    """The names that point to a checkpoint, then the checkpoints, the newest first."""
    folder = run / "checkpoints"
    for name in ("last", "best"):
        if (folder / name).is_file():
            yield Candidate(name, read_text(folder / name).strip())
    yield from (Candidate(path.name) for path in sorted(folder.glob("step-*"), reverse=True))


def records(root: Path) -> list[RunRecord]:
    return [read_run(path) for path in newest(root)[:MAX_READ]]


def key_candidates(root: Path, end: str = "") -> Iterator[Candidate]:
    """The keys by which runs can be filtered or sorted: metrics and fields first, then config keys."""
    known = records(root)
    metrics = {name for record in known for name in record.metrics}
    keys = known_keys(known)
    for key in sorted(keys, key=lambda key: (key not in metrics, key not in FIELDS)):
        about = "a metric" if key in metrics else "a field of the run" if key in FIELDS else "a config key"
        yield Candidate(key + end, about)


def value_candidates(root: Path, key: str) -> Iterator[Candidate]:
    """The values of a key in the newest runs."""
    known = records(root)
    if key == "state":
        yield from map(Candidate, STATES)
        return
    whole = key if any(record.has(key) for record in known) else f"{key}.name"
    yield from map(Candidate, dict.fromkeys(as_text(r.value(whole)) for r in known if r.has(whole)))
