"""The runs that a command selects: by path or name, and by filters such as `model=lenet` or `'test/accuracy>=0.98'`."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.hints import key_hint, nearest
from dltool.core.shell import quoted
from dltool.runs.catalog import (
    FIELDS,
    STATES,
    RunRecord,
    as_text,
    find_run,
    find_runs,
    is_run,
    known_keys,
    read_run,
    read_runs,
)

FILTER = re.compile(r"([^<>=!]+)(==|!=|<=|>=|=|<|>)(.*)", re.DOTALL)
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Filter:
    """One condition on a run.

    Attributes:
        key: A whole key, as in known_keys.
        sign: "=", "!=", "<", "<=", ">" or ">=".
        text: The value to compare with: as a number if both are numbers; `*` and `?` are wildcards.
    """

    key: str
    sign: str
    text: str

    def matches(self, record: RunRecord) -> bool:
        """Whether the run satisfies the filter; a run without the key differs from every value."""
        if self.sign == "!=":
            return not Filter(self.key, "=", self.text).matches(record)
        value = record.value(self.key)
        if value is None and self.key not in record.config:
            return False
        if self.key == "date":  # date>=2026-11 compares the month, date=2026-11-20 the day.
            value = value[: len(self.text)] if "*" not in self.text else value
        mine, theirs = as_number(value), as_number(self.text)
        if self.sign == "=":
            return mine == theirs if mine is not None and theirs is not None else self.resembles(value)
        order = ORDERS[self.sign]
        return order(value, self.text) if self.key == "date" else mine is not None and order(mine, theirs)

    def resembles(self, value: Any) -> bool:
        pattern = re.escape(self.text.replace(" ", "")).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, as_text(value).replace(" ", ""), re.DOTALL) is not None


def as_number(value: Any) -> float | None:
    """A number, or the number that a text represents; None for anything else, including booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def parse_filter(word: str, known: Sequence[str]) -> Filter:
    """Parse KEY=VALUE or another comparison.

    Raises:
        ConfigError: If the word is not a filter, no run has the key, or an order is asked of values without one.
    """
    match = FILTER.fullmatch(word)
    if match is None:
        raise ConfigError(
            f"{word} is not a filter",
            "write KEY=VALUE or KEY!=VALUE, and in quotes, because of the shell, 'KEY<VALUE', '<=', '>' or '>='",
        )
    key, sign, text = match[1].strip(), match[2].replace("==", "="), match[3].strip()
    key = whole_key(key, known, word)
    if sign in ORDERS and key != "date" and as_number(text) is None:
        raise ConfigError(
            f"{word}: {sign} needs a number", f"{quoted(f'{key}{sign}0.5')}, or {quoted(f'{key}={text}')} for a text"
        )
    if key == "state" and not any(Filter(key, "=", text).matches(RunRecord(Path(), state)) for state in STATES):
        near = nearest(text, STATES)
        hint = f"did you mean {quoted(f'state{sign}{near}')}?" if near else None
        raise ConfigError(f"{word}: there is no such state; the states are {', '.join(STATES)}", hint)
    return Filter(key, sign, text)


def whole_key(word: str, known: Sequence[str], context: str | None = None) -> str:
    """The key that a word names: itself, or `model.name` for the group `model`.

    Raises:
        ConfigError: If no run has it, with the keys that may be meant.
    """
    for key in (word, f"{word}.name"):
        if key in known:
            return key
    alike = [key for key in known if re.split(r"[./]", key)[-1] == word]
    near = nearest(word, known)
    if alike:
        hint = f"did you mean {' or '.join(alike)}?"
    elif foreign := key_hint(word):
        hint = foreign
    elif near:
        hint = f"did you mean {near}?"
    else:
        hint = f"keys are those of a run's config, its metrics, and {', '.join(FIELDS)}"
    raise ConfigError(f"{context or word}: no run here has {word}", hint)


def is_filter(word: str) -> bool:
    return FILTER.fullmatch(word) is not None and not Path(word).expanduser().exists()


def filtered(records: Sequence[RunRecord], words: Sequence[str]) -> list[RunRecord]:
    """The runs that satisfy every filter, in the given order."""
    if not records:
        return []
    filters = [parse_filter(word, known_keys(records)) for word in words]
    return [record for record in records if all(one.matches(record) for one in filters)]


def select(words: Sequence[str], root: Path, *, folders: bool = False) -> list[RunRecord]:
    """The named runs, in the order of their names, or else all below `root`, oldest first; then filtered.

    Args:
        words: Names and filters.
        root: The folder of the runs.
        folders: Whether the folder of a sweep stands for all of its runs.

    Raises:
        ConfigError: For a word that is neither a run nor a filter.
    """
    names = [word for word in words if not is_filter(word)]
    found = [below(name) if folders and is_folder_of_runs(name) else [find_run(name, root)] for name in names]
    paths = dict.fromkeys(path for part in found for path in part)  # A run that is named twice counts once.
    records = [read_run(path) for path in paths] if names else read_runs(root)[::-1]
    return filtered(records, [word for word in words if is_filter(word)])


def is_folder_of_runs(name: str) -> bool:
    path = Path(name).expanduser()
    return path.is_dir() and not is_run(path) and next(find_runs(path), None) is not None


def below(name: str) -> list[Path]:
    """The runs below a folder, by name."""
    return sorted(find_runs(Path(name).expanduser()))


def ordered(records: Sequence[RunRecord], key: str, descending: bool | None) -> list[RunRecord]:
    """The runs sorted by the value of a key; those without a value, or with NaN, come last.

    Args:
        records: In any order, which is kept among equal values.
        key: A whole key.
        descending: None puts the best first by a metric whose direction is declared, the newest first by date, else the
            smallest.
    """
    if descending is None:
        from dltool.metrics.directions import declared_direction  # Parses source; `dltool --help` needs none of it.

        is_metric = any(key in record.metrics for record in records)
        descending = key == "date" or (is_metric and declared_direction(key) == "max")
    has: list[RunRecord] = []
    missing: list[RunRecord] = []
    for record in records:
        value = record.value(key)
        (missing if value is None or value != value else has).append(record)
    has.sort(key=lambda record: sort_rank(record.value(key)), reverse=descending)
    return has + missing


def sort_rank(value: Any) -> tuple[bool, float, str]:
    """Sort key: numbers before texts."""
    number = as_number(value)
    return number is None, number or 0.0, as_text(value)
