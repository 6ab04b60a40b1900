"""The mean of a metric over the repetitions of a setting, with its uncertainty, as text."""

import statistics
from collections.abc import Sequence

from dltool.core.numerals import decimals_of, mean_and_spread, with_decimals
from dltool.runs.paired import paired_test

LEAST_REPETITIONS = 3  # Of an interval: that of two runs is nine standard deviations to each side.
BRACKETS = "mean [95 % confidence interval by Student's t]"
FORMS = {  # By whether a setting has an interval, and whether one has two values.
    (False, False): "",
    (False, True): "mean ± standard deviation",
    (True, False): BRACKETS,
    (True, True): f"{BRACKETS}, of two runs mean ± standard deviation",
}


def mean_interval(values: Sequence[float], ratio: float) -> tuple[float, float] | None:
    """The 95 % confidence interval of the expected metric of a setting; None for fewer than LEAST_REPETITIONS values.

        m ± t_{0.975} √((1/n + ratio) s²),   n - 1 degrees of freedom

    with the mean m and the variance s² (over n - 1). It assumes normally distributed values.

    Args:
        values: Of the metric, one for each repetition.
        ratio: See dltool.runs.paired.held_out_ratio: 0 over seeds, above 0 over folds and splits, whose trainings share
            samples.
    """
    return paired_test(values, ratio)[0] if len(values) >= LEAST_REPETITIONS else None


def describe_mean(values: Sequence[float], ratio: float) -> str:
    """Such as "0.9000 [0.8900, 0.9100]"; of two values mean ± standard deviation; of one the value.

    Args:
        values: At least one; see mean_interval.
        ratio: See there.
    """
    interval = mean_interval(values, ratio)
    if interval is None:
        return mean_and_spread(values)
    mean = statistics.fmean(values)
    mean_text, low, high = (with_decimals(value, decimals_of(mean)) for value in (mean, *interval))
    return f"{mean_text} [{low}, {high}]"


def describe_form(counts: Sequence[int]) -> str:
    """What describe_mean shows of settings with these numbers of values; empty if each has one."""
    return FORMS[max(counts, default=0) >= LEAST_REPETITIONS, 2 in counts]
