"""The jobs of a sweep's command line: the grid of its values, each job with its own overrides."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hydra.core.override_parser.types import Glob, Override, RangeSweep
from hydra.errors import HydraException

from dltool.config.compose import parse_override
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.declarations.options import GROUPS, option_files

MAX_JOBS = 10_000


@dataclass(frozen=True)
class Job:
    """One training of a sweep.

    Attributes:
        number: Its index in the sweep, from 0.
        overrides: All of its overrides, as `dltool train` takes them.
        swept: Key to value, as typed, of the overrides with several values in the sweep.
    """

    number: int
    overrides: tuple[str, ...]
    swept: dict[str, str]

    @property
    def name(self) -> str:
        """Such as "007_model=mlp,optim.lr=0.1": its number and swept values, usable as a file name."""
        words = ",".join(f"{key}={value}" for key, value in self.swept.items())
        readable = "".join(c if c.isalnum() or c in "=,.+-_[]" else "_" for c in words)
        return f"{self.number:03d}_{readable}"[:80].rstrip("_.,")


def expand(overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> list[Job]:
    """The product of all overrides' values, in Hydra's grammar: `a,b`, `choice(…)`, `range(…)`, `glob(…)`.

    The last override varies fastest, as in Hydra's own sweeper.

    Args:
        overrides: As typed after `dltool train -m`.
        config_dirs: The user's own options, for glob.

    Raises:
        ConfigError: For a range without values, an interval, more than 10,000 jobs, or a swept key that is set twice.
    """
    parsed = [parse_override(text) for text in overrides]
    values = [alternatives(override, config_dirs) for override in parsed]
    check_set_once(parsed, values)
    count = 1
    for several in values:
        count *= len(several)
    if count > MAX_JOBS:
        raise ConfigError(f"the sweep has {count:,} jobs; the maximum is {MAX_JOBS:,}", "fewer values, or dltool tune")
    swept = [i for i, several in enumerate(values) if len(several) > 1]
    return [
        Job(
            number,
            tuple(combination),
            {parsed[i].get_key_element(): combination[i].partition("=")[2] for i in swept},
        )
        for number, combination in enumerate(itertools.product(*values))
    ]


def check_set_once(parsed: Sequence[Override], values: Sequence[Sequence[str]]) -> None:
    """Raises ConfigError if a key with several values is set a second time: no job could have both values."""
    places: dict[tuple[str, str | None], list[int]] = {}
    for place, override in enumerate(parsed):
        places.setdefault((override.key_or_group, override.package), []).append(place)
    for (key, _), several in places.items():
        if len(several) > 1 and any(len(values[place]) > 1 for place in several):
            given = " and ".join(str(parsed[place].input_line) for place in several)
            raise ConfigError(
                f"{key} is set {len(several)} times in a sweep: {given}",
                f"once: {quoted(str(parsed[several[-1]].input_line))}, or all values in one list",
            )


def alternatives(override: Override, config_dirs: Sequence[Path]) -> list[str]:
    """One override per value of a sweep override; the override itself if it has a single value."""
    text = str(override.input_line)
    if not override.is_sweep_override():
        return [text]
    if override.is_interval_sweep():
        raise ConfigError(
            f"{text}: a grid cannot enumerate an interval",
            f"dltool tune samples from it; for a grid, list values: {override.key_or_group}=0.1,0.01",
        )
    values = list(dict.fromkeys(values_of(override, config_dirs)))
    if not values:
        raise ConfigError(f"{text} has no values", f"{override.key_or_group}=a,b gives two")
    return [f"{override.get_key_element()}={value}" for value in values]


def values_of(override: Override, config_dirs: Sequence[Path]) -> list[str]:
    """The values of a sweep override, each as typed."""
    value = override._value
    if isinstance(value, Glob):
        return value.filter(group_options(override, config_dirs))
    if isinstance(value, RangeSweep) and not value.shuffle:
        return numbers_in(value, str(override.input_line))
    try:
        return list(override.sweep_string_iterator())
    except (HydraException, ValueError) as error:
        raise ConfigError(f"{override.input_line}: {error}") from error


def numbers_in(sweep: RangeSweep, text: str) -> list[str]:
    """From start up to, but excluding, stop; in decimal, so that range(0.1,0.4,0.1) is 0.1, 0.2, 0.3."""
    start, stop, step = (Decimal(str(number)) for number in (sweep.start, sweep.stop, sweep.step))
    if step == 0:
        raise ConfigError(f"{text}: a step of 0 never reaches the end", "range(start,stop,step), as in range(1,4,1)")
    return [str(start + i * step) for i in range(max(0, math.ceil((stop - start) / step)))]


def group_options(override: Override, config_dirs: Sequence[Path]) -> list[str]:
    """The options from which `glob` selects."""
    group = override.key_or_group
    if group not in GROUPS:
        raise ConfigError(
            f"{override.input_line}: glob selects among a group's options, and {group} is not a group",
            f"the groups are {', '.join(GROUPS)}; values are listed, {group}=a,b",
        )
    return list(option_files(group, config_dirs))
