"""The difference of a metric between two settings, over runs that are paired by seed, fold and split."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord, as_text
from dltool.runs.comparison import HOW_NOT_WHAT, differing_config, short_key
from dltool.runs.definition import definitions
from dltool.runs.student import quantile, two_sided_p

REPEATS = ("seed", "data.fold", "data.split_seed")  # What differs between repetitions of one setting.
LEAST_PAIRS = 3
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Group:
    """The runs of one setting.

    Attributes:
        name: Such as "optim=adam".
        values: The metric of each repetition, by its values of REPEATS.
        settings: The config keys that all of its runs share.
    """

    name: str
    values: dict[tuple[Any, ...], float]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """The second setting minus the first, over J pairs.

    Attributes:
        mean: Of the differences d_j.
        interval: The 95 % confidence interval of the expected difference; None with fewer than LEAST_PAIRS pairs.
        p: Two-sided, for an expected difference of 0; None also where all differences are equal.
        p_adjusted: The same after Holm's correction for all differences of the table.
        also: The other settings in which the two differ.
    """

    first: str
    second: str
    differences: tuple[float, ...]
    unpaired: int
    mean: float
    interval: tuple[float, float] | None
    t: float | None
    p: float | None
    also: tuple[str, ...] = ()
    p_adjusted: float | None = None


def paired_test(
    differences: Sequence[float], ratio: float = 0.0
) -> tuple[tuple[float, float], float | None, float | None]:
    """The 95 % confidence interval of the mean of J differences, t and the two-sided p.

        t = m / √((1/J + ratio) s²),   J - 1 degrees of freedom,   interval m ± t_{0.975} √((1/J + ratio) s²)

    with the mean m and the variance s² (over J - 1) of the differences. With ratio 0 it is the paired t-test. Trainings
    on other folds or splits share training samples, so that their differences are correlated and 1/J is too small; with
    ratio = n_held_out / n_train it is the corrected resampled t-test of Nadeau and Bengio 2003 (Machine Learning 52,
    section 3: the correlation is estimated as n_held_out / (n_held_out + n_train)), and over the folds of repeated
    cross-validations that of Bouckaert and Frank 2004.

    Args:
        differences: At least two.
        ratio: See above.

    Returns:
        The interval, and t and p, which are None where all differences are equal.
    """
    mean, variance = statistics.fmean(differences), statistics.variance(differences)
    error = math.sqrt((1 / len(differences) + ratio) * variance)
    reach = quantile(CONFIDENCE, len(differences) - 1) * error
    interval = (mean - reach, mean + reach)
    if error == 0:
        return interval, None, None
    return interval, mean / error, two_sided_p(mean / error, len(differences) - 1)


def compare_groups(
    records: Sequence[RunRecord], keys: Sequence[str], metric: str
) -> tuple[list[Group], list[Difference]]:
    """The groups by the values of config keys, and the difference of each two.

    Raises:
        ConfigError: There are fewer than two groups, a group's runs differ in more than repetitions, the metric has
            several definitions, or two groups share no repetition.
    """
    meanings = definitions(metric, [record.config for record in records])
    if len(set(meanings)) > 1:
        raise ConfigError(
            f"{metric} has different definitions in these runs: {'; '.join(dict.fromkeys(meanings))}",
            "--metric NAME of a metric that does not depend on them, such as test/accuracy",
        )
    members: dict[str, list[RunRecord]] = {}
    for record in records:
        name = " ".join(f"{short_key(key)}={as_text(record.config.get(key))}" for key in keys)
        members.setdefault(name, []).append(record)
    if len(members) < 2:
        raise ConfigError(
            f"all {len(records)} runs have {next(iter(members), 'no value')}, two groups are needed",
            f"dltool runs compare --group {quoted(distinct_key(records))}",
        )
    groups = [group_of(name, own, keys, metric) for name, own in members.items()]
    ratio = held_out_ratio(records, metric)
    found = [difference(one, two, ratio, keys) for one, two in itertools.combinations(groups, 2)]
    return groups, with_holm(found)


def distinct_key(records: Sequence[RunRecord]) -> str:
    """A key that the runs differ in, for the hint."""
    keys = [key for key in differing_config(records) if key not in REPEATS and not key.startswith(HOW_NOT_WHAT)]
    return short_key(keys[0]) if keys else "KEY"


def group_of(name: str, records: Sequence[RunRecord], keys: Sequence[str], metric: str) -> Group:
    """The runs of a group by repetition.

    Raises:
        ConfigError: They differ in more than repetitions, or two are the same repetition.
    """
    others = [key for key in differing_config(records) if key not in REPEATS and not key.startswith(HOW_NOT_WHAT)]
    if others:
        values = dict.fromkeys(as_text(record.config.get(others[0])) for record in records)
        raise ConfigError(
            f"the runs with {name} also differ in {', '.join(map(short_key, others[:3]))}: "
            f"{', '.join(list(values)[:4])}",
            f"--group {quoted(','.join(map(short_key, [*keys, others[0]])))}, or a filter: "
            f"{quoted(f'{short_key(others[0])}={next(iter(values))}')}",
        )
    found: dict[tuple[Any, ...], float] = {}
    for record in records:
        repetition = tuple(record.config.get(key) for key in REPEATS)
        if repetition in found:
            raise ConfigError(
                f"two runs with {name} are the same repetition ({repetition_text(repetition)}), such as {record.path}",
                "name the runs to compare, or add a filter such as 'date=2026-01-31'",
            )
        found[repetition] = record.metrics[metric]
    varied = differing_config(records)
    settings = {key: value for key, value in records[0].config.items() if key not in varied and key not in REPEATS}
    return Group(name, found, settings)


def repetition_text(repetition: Sequence[Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in zip(REPEATS, repetition, strict=True) if value is not None)


def held_out_ratio(records: Sequence[RunRecord], metric: str) -> float:
    """n_held_out / n_train of repetitions that differ in their fold or split; 0 if they differ in the seed alone."""
    return held_out_ratio_of([record.config for record in records], metric)


def held_out_ratio_of(configs: Sequence[Mapping[str, Any]], metric: str) -> float:
    """The same from the configs of the repetitions."""
    varied = [key for key in REPEATS[1:] if len({as_text(config.get(key)) for config in configs}) > 1]
    if not varied:
        return 0.0
    config = configs[0]
    val, test = (number_or_zero(config.get(f"data.{name}_fraction")) for name in ("val", "test"))
    num_folds = config.get("data.num_folds")
    if isinstance(num_folds, int) and num_folds > 1:
        held = test = 1 / num_folds
    else:
        held = val if metric.startswith("val/") else test
    rest = 1 - val - test
    return held / rest if rest > 0 else held


def number_or_zero(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def difference(first: Group, second: Group, ratio: float, keys: Sequence[str]) -> Difference:
    """The second group minus the first.

    Raises:
        ConfigError: They share no repetition.
    """
    shared = [repetition for repetition in first.values if repetition in second.values]
    if not shared:
        raise ConfigError(
            f"{first.name} and {second.name} have no seed, fold or split in common, so their runs cannot be paired",
            f"train both with the same ones: dltool train -m {quoted(keys[0])}=A,B {quoted('seed=range(0,5)')}",
        )
    found = tuple(second.values[repetition] - first.values[repetition] for repetition in shared)
    interval, t, p = paired_test(found, ratio) if len(found) >= LEAST_PAIRS else (None, None, None)
    left = len(first.values) + len(second.values) - 2 * len(shared)
    mean = statistics.fmean(found)
    return Difference(first.name, second.name, found, left, mean, interval, t, p, also_different(first, second, keys))


def also_different(first: Group, second: Group, keys: Sequence[str]) -> tuple[str, ...]:
    """The settings besides `keys`, and what follows from a choice among them, in which two groups differ."""
    groups = tuple(key.removesuffix("name") for key in keys if key.endswith(".name"))
    return tuple(
        key
        for key, value in first.settings.items()
        if key in second.settings
        and second.settings[key] != value
        and key not in keys
        and not key.startswith((*HOW_NOT_WHAT, "run.dir", *groups))
    )


def with_holm(found: Sequence[Difference]) -> list[Difference]:
    """Holm 1979: the k-th smallest of m p-values times m - k + 1, made monotone, at most 1."""
    if len(found) < 2:
        return list(found)
    tested = sorted((one.p, place) for place, one in enumerate(found) if one.p is not None)
    adjusted, largest = {}, 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = largest
    return [Difference(**{**one.__dict__, "p_adjusted": adjusted.get(place)}) for place, one in enumerate(found)]


def describe_test(ratio: float) -> str:
    """The test and its assumptions, in one line."""
    if ratio:
        return (
            f"corrected resampled t-test (Nadeau and Bengio 2003, n_held_out / n_train = {ratio:.3g}): assumes normal "
            "differences, and trainings whose correlation is that of their shared samples"
        )
    return (
        "paired t-test: assumes independent, normal differences; over seeds alone it is about the training's "
        "randomness on this split, not about other data"
    )
