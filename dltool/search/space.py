"""The search space of `dltool tune`, in Hydra's grammar on the command line.

'optim.lr=tag(log,interval(1e-4,1e-1))'   a number, uniform on a logarithmic scale
'model.dropout=interval(0,0.5)'           a number
'trainer.accumulate=int(interval(1,8))'   a whole number
'data.batch_size=range(16,129,16)'        16, 32, … 128
model=mlp,lenet   'model=glob(lenet*)'    one of several options
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from dltool.config.compose import parse_override
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.search.grid import alternatives, numbers_in


class Trial(Protocol):
    """The source of the values: an Optuna trial."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...
    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...
    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str: ...


@dataclass(frozen=True)
class Dimension:
    """One key of the space.

    Attributes:
        key: As typed, with its `+`.
        low, high: The bounds, both included; None if there are choices.
        step: Distance between adjacent values; None for all values between the bounds.
        integer: Whole numbers only.
        log: Uniform on a logarithmic scale.
        choices: The values, as typed, if they are not an interval.
    """

    key: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    integer: bool = False
    log: bool = False
    choices: tuple[str, ...] = ()

    def suggest(self, trial: Trial) -> str:
        """A value as typed in an override."""
        if self.low is None or self.high is None:
            return trial.suggest_categorical(self.key, self.choices)
        if self.integer:
            step = int(self.step or 1)
            return str(trial.suggest_int(self.key, int(self.low), int(self.high), step=step, log=self.log))
        return f"{trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log):.6g}"

    def extremes(self) -> list[str]:
        """The values that decide whether the whole dimension is valid."""
        if self.low is None or self.high is None:
            return list(self.choices)
        return [f"{bound:.6g}" for bound in (self.low, self.high)]

    def describe(self) -> str:
        if self.low is None:
            return f"{self.key}: {', '.join(self.choices)}"
        scale = " on a logarithmic scale" if self.log else ""
        step = f" by {self.step:g}" if self.step else ""
        return f"{self.key}: {self.low:g} to {self.high:g}{step}{', whole' * self.integer}{scale}"


def read_space(overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> tuple[list[Dimension], list[str]]:
    """Split the overrides into the dimensions of the space and those with one value.

    Raises:
        ConfigError: If there is no dimension, or an empty or invalid one.
    """
    space, fixed = [], []
    for text in overrides:
        override = parse_override(text)
        if override.is_sweep_override():
            space.append(dimension(override, config_dirs))
        else:
            fixed.append(text)
    if not space:
        raise ConfigError("nothing to tune: every key has a single value", "'optim.lr=tag(log,interval(1e-4,1e-1))'")
    return space, fixed


def dimension(override: Override, config_dirs: Sequence[Path]) -> Dimension:
    key, value, text = override.get_key_element(), override._value, str(override.input_line)
    log = "log" in getattr(value, "tags", ())
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        if low is None or high is None or not low < high:
            raise ConfigError(
                f"{text} is empty: it ends where it begins, or before", quoted(f"{key}=interval(1e-4,1e-1)")
            )
        if log and low <= 0:
            raise ConfigError(
                f"{text}: a logarithmic scale begins above 0", quoted(f"{key}=tag(log,interval(1e-6,{high:g}))")
            )
        return Dimension(key, low, high, integer=isinstance(low, int) and isinstance(high, int), log=log)
    values = alternatives(override, config_dirs)
    if len(values) < 2:
        raise ConfigError(f"{text} has a single value", f"{key}=a,b gives two values")
    if isinstance(value, RangeSweep) and not log:
        numbers = sorted(float(number) for number in numbers_in(value, text))
        integer = all(number.is_integer() for number in numbers)
        return Dimension(key, numbers[0], numbers[-1], step=abs(float(value.step)), integer=integer)
    return Dimension(key, choices=tuple(value.partition("=")[2] for value in values))


def plain(space: Sequence[Dimension]) -> list[dict[str, Any]]:
    """The space as JSON-compatible values, for comparison with another one."""
    return [{**asdict(one), "choices": list(one.choices)} for one in space]
