import math
import statistics

import pytest

from dltool.runs.repetitions import describe_form, describe_mean, mean_interval

T_2 = 4.302652729911275  # The 0.975 quantile of Student's t with 2 degrees of freedom, of a table.


def test_the_interval_is_that_of_student() -> None:
    found = mean_interval([0.8, 0.9, 1.0], 0.0)
    reach = T_2 * 0.1 / math.sqrt(3)
    assert found == pytest.approx((0.9 - reach, 0.9 + reach))


def test_folds_have_a_wider_one() -> None:
    """Nadeau and Bengio: the variance has n_held_out / n_train in addition to 1/n."""
    found = mean_interval([0.8, 0.9, 1.0], 0.5)
    reach = T_2 * 0.1 * math.sqrt(1 / 3 + 0.5)
    assert found == pytest.approx((0.9 - reach, 0.9 + reach))


def test_two_values_have_a_standard_deviation_and_one_has_none() -> None:
    assert mean_interval([0.8, 0.9], 0.0) is None
    assert describe_mean([0.8, 0.9], 0.0) == f"0.8500 ± {statistics.stdev([0.8, 0.9]):.4f}"
    assert describe_mean([0.8], 0.0) == "0.8000"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.8, 0.9, 1.0], "0.9000 [0.6516, 1.1484]"),
        ([150.0, 151.0, 152.5], "151.2 [148.0, 154.3]"),
        ([2.0, 2.0, 2.0], "2 [2, 2]"),
        ([1e-5, 2e-5, 3e-5], "2e-05 [-4.84e-06, 4.48e-05]"),
    ],
)
def test_the_ends_have_the_digits_of_the_mean(values: list[float], text: str) -> None:
    assert describe_mean(values, 0.0) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([1, 1], ""),
        ([], ""),
        ([2, 1], "mean ± standard deviation"),
        ([5, 1], "mean [95 % confidence interval by Student's t]"),
        ([5, 2], "mean [95 % confidence interval by Student's t], of two runs mean ± standard deviation"),
    ],
)
def test_the_form_is_said(counts: list[int], text: str) -> None:
    assert describe_form(counts) == text
