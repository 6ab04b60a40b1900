"""The record of an experiment's result in its YAML: the published reference, and the measured values.

record:
  metrics:
    test/accuracy:
      reference: 0.9905                      # a published value, if one exists,
      source: LeCun et al. 1998, section III.B
      measured: [0.9908, 0.9913, 0.9908]     # one value per seed; omitted if not measured
  seeds: [0, 1, 2]
  seconds: 157                               # of one seed
  machine: 2 cores of an AMD EPYC, no GPU
  data: 08d9d5f52379604b                     # the digest in data.json, for data from files
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.numerals import counted, is_number, mean_and_spread, numeral
from dltool.core.yaml_text import read_yaml

STANDARD_ERRORS = 3.0


@dataclass(frozen=True)
class Claim:
    """The record of one metric.

    Attributes:
        reference, source: The published value for comparison, and its source.
        measured: The value of each seed.
    """

    reference: float | None = None
    source: str | None = None
    measured: Sequence[float] = ()

    def describe(self) -> str:
        """Such as "0.9926 ± 0.0002 (reference 0.9918)"."""
        words = mean_and_spread(self.measured) if self.measured else "not measured"
        return words + (f" (reference {numeral(self.reference)})" if self.reference is not None else "")

    def tolerance(self, num_new: int) -> float | None:
        """The allowed difference between the mean of `num_new` further seeds and the recorded mean.

        Three standard errors of the difference of two means, s √(1/n + 1/m), with the recorded standard deviation
        s of n seeds; at least a unit of the last recorded digit. None for a single recorded seed.
        """
        if len(self.measured) < 2:
            return None
        deviation = statistics.stdev(self.measured)
        error = deviation * math.sqrt(1 / len(self.measured) + 1 / num_new)
        return max(STANDARD_ERRORS * error, last_digit(self.measured))


@dataclass(frozen=True)
class Record:
    """An experiment's result, with its cost.

    Attributes:
        metrics: By name, "test/accuracy".
        seeds: The measured seeds, in the order of the values.
        seconds: Per seed.
        machine: As text.
        data: The digest of the data's fingerprint (dltool.data.fingerprint), or None.
    """

    metrics: dict[str, Claim] = field(default_factory=dict)
    seeds: Sequence[int] = ()
    seconds: float | None = None
    machine: str | None = None
    data: str | None = None


def read_record(path: Path) -> Record | None:
    """The record of an experiment's YAML; None if it has none.

    Raises:
        ConfigError: If a record is malformed, naming the file and the key.
    """
    tree = read_yaml(path)
    entry = tree.get("record") if isinstance(tree, dict) else None
    if entry is None:
        return None
    check_keys(path, "record", entry, Record)
    seeds = entry.get("seeds", [])
    if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
        raise malformed(path, "record.seeds", "a list of integers is needed")
    claims = {}
    for name, claim in (entry.get("metrics") or {}).items():
        key = f"record.metrics.{name}"
        check_keys(path, key, claim, Claim)
        measured = claim.get("measured", [])
        if not isinstance(measured, list) or not all(is_number(value) for value in measured):
            raise malformed(path, f"{key}.measured", "a list of numbers is needed")
        if measured and len(measured) != len(seeds):
            raise malformed(
                path, f"{key}.measured", f"{counted(len(measured), 'value')} for {counted(len(seeds), 'seed')}"
            )
        if claim.get("reference") is not None and not (is_number(claim["reference"]) and claim.get("source")):
            raise malformed(path, f"{key}.reference", "a number and its source are needed")
        claims[name] = Claim(claim.get("reference"), claim.get("source"), tuple(measured))
    data = entry.get("data")
    return Record(claims, tuple(seeds), entry.get("seconds"), entry.get("machine"), None if data is None else str(data))


def check_keys(path: Path, key: str, entry: Any, kind: type) -> None:
    known = [one.name for one in fields(kind)]
    if not isinstance(entry, dict):
        raise malformed(path, key, f"a mapping with {', '.join(known)} is needed")
    if unknown := [name for name in entry if name not in known]:
        raise malformed(path, f"{key}.{unknown[0]}", f"the keys are {', '.join(known)}")


def malformed(path: Path, key: str, what: str) -> ConfigError:
    return ConfigError(f"{path.resolve()}: {key}: {what}", "see configs/experiment/lenet_mnist.yaml")


def last_digit(values: Sequence[float]) -> float:
    """A unit of the last digit of the values: 0.0001 for [0.99, 0.9913], 0 for whole numbers."""
    digits = max(len(repr(value).partition(".")[2]) if isinstance(value, float) else 0 for value in values)
    return float(10.0**-digits) if digits else 0.0
