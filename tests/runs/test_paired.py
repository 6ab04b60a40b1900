"""Settings are compared by the differences of their pairs, with the test that fits how the pairs were made."""

import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from fabricated import CONFIG

from dltool.core.errors import ConfigError
from dltool.runs.catalog import RunRecord
from dltool.runs.paired import Difference, compare_groups, held_out_ratio, paired_test, with_holm

A = [0.80, 0.82, 0.79, 0.85]
B = [0.81, 0.86, 0.80, 0.88]


def run(accuracy: float, **config: Any) -> RunRecord:
    changed = {key.replace("__", "."): value for key, value in config.items()}
    path = Path("_".join(f"{key}={value}" for key, value in changed.items()))
    return RunRecord(path, "finished", metrics={"test/accuracy": accuracy}, config=CONFIG | changed)


def two(**also: Any) -> list[RunRecord]:
    return [
        run(value, optim__name=name, seed=seed, **also)
        for name, values in (("adam", A), ("sgd", B))
        for seed, value in enumerate(values)
    ]


def test_the_paired_t_test() -> None:
    """d = 0.01, 0.04, 0.01, 0.03; t_{0.975, 3} = 3.182446305284."""
    _, (found,) = compare_groups(two(), ["optim.name"], "test/accuracy")
    differences = [b - a for a, b in zip(A, B, strict=True)]
    error = statistics.stdev(differences) / 2
    assert found.mean == pytest.approx(0.0225)
    assert found.t == pytest.approx(0.0225 / error)
    assert found.interval == pytest.approx((0.0225 - 3.182446305284 * error, 0.0225 + 3.182446305284 * error))
    assert (found.first, found.second, found.unpaired) == ("optim=adam", "optim=sgd", 0)


def test_scipy_agrees() -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.ttest_rel(B, A)
    interval, t, p = paired_test([b - a for a, b in zip(A, B, strict=True)])
    assert (t, p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert interval == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9)


def test_folds_share_training_samples() -> None:
    """Five folds: n_held_out / n_train = 1/4 adds to 1/J."""
    records = [
        run(0.8 + 0.01 * fold * (name == "sgd") + 0.02 * fold, optim__name=name, data__fold=fold, data__num_folds=5)
        for name in ("adam", "sgd")
        for fold in range(5)
    ]
    assert held_out_ratio(records, "test/accuracy") == pytest.approx(0.25)
    _, (found,) = compare_groups(records, ["optim.name"], "test/accuracy")
    variance = statistics.variance([0, 0.01, 0.02, 0.03, 0.04])
    assert found.t == pytest.approx(0.02 / math.sqrt((1 / 5 + 1 / 4) * variance))
    assert paired_test(found.differences)[1] == pytest.approx(0.02 / math.sqrt(variance / 5))
    with_val = [run(0, data__fold=fold, data__num_folds=5, data__val_fraction=0.3) for fold in range(2)]
    assert held_out_ratio(with_val, "test/accuracy") == pytest.approx(0.2 / 0.5)


def test_random_splits_and_seeds() -> None:
    records = [run(0, data__split_seed=k, data__val_fraction=0.1, data__test_fraction=0.2) for k in range(3)]
    assert held_out_ratio(records, "test/accuracy") == pytest.approx(0.2 / 0.7)
    assert held_out_ratio(records, "val/accuracy") == pytest.approx(0.1 / 0.7)
    assert held_out_ratio(two(), "test/accuracy") == 0


def test_two_pairs_are_too_few() -> None:
    records = [record for record in two() if record.config["seed"] < 2]
    _, (found,) = compare_groups(records, ["optim.name"], "test/accuracy")
    assert (found.interval, found.p) == (None, None)
    assert found.mean == pytest.approx(0.025)


def test_equal_differences_have_no_test() -> None:
    interval, t, p = paired_test([0.5, 0.5, 0.5])
    assert (interval, t, p) == ((0.5, 0.5), None, None)


def test_runs_without_a_partner_are_counted() -> None:
    _, (found,) = compare_groups(two()[1:], ["optim.name"], "test/accuracy")
    assert (len(found.differences), found.unpaired) == (3, 1)


def test_what_cannot_be_paired_is_refused() -> None:
    other = [run(value, optim__name="sgd", seed=9 + k) for k, value in enumerate(B)]
    with pytest.raises(ConfigError, match="no seed, fold or split in common"):
        compare_groups([*two()[:4], *other], ["optim.name"], "test/accuracy")
    with pytest.raises(ConfigError, match="the same repetition") as caught:
        compare_groups([*two(), two()[0]], ["optim.name"], "test/accuracy")
    assert "seed=0" in caught.value.message
    with pytest.raises(ConfigError, match="all 8 runs have data=iris, two groups are needed") as caught:
        compare_groups(two(), ["data.name"], "test/accuracy")
    assert "--group optim" in str(caught.value.hint)


def test_a_second_setting_inside_a_group_is_refused() -> None:
    records = [*two(), *two(optim__lr=0.1)]
    with pytest.raises(ConfigError, match=r"optim=adam also differ in optim.lr: 0.001, 0.1") as caught:
        compare_groups(records, ["optim.name"], "test/accuracy")
    assert "--group optim,optim.lr" in str(caught.value.hint)
    groups, found = compare_groups(records, ["optim.name", "optim.lr"], "test/accuracy")
    assert (len(groups), len(found)) == (4, 6)


def test_other_differences_of_the_groups_are_said() -> None:
    records = two()
    records[4:] = [
        RunRecord(r.path, r.state, metrics=r.metrics, config=r.config | {"model.name": "x"}) for r in records[4:]
    ]
    (found,) = compare_groups(records, ["optim.name"], "test/accuracy")[1]
    assert found.also == ("model.name",)


def test_losses_with_other_definitions_are_refused() -> None:
    records = [
        RunRecord(
            Path(f"{k}"), "finished", metrics={"val/loss": 1.0 + k}, config=CONFIG | {"loss.label_smoothing": 0.1 * k}
        )
        for k in range(2)
    ]
    with pytest.raises(ConfigError, match=r"val/loss has different definitions.*loss.label_smoothing=0.1"):
        compare_groups(records, ["loss.label_smoothing"], "val/loss")


def test_holm() -> None:
    """0.01 · 3, 0.03 · 2, then monotone."""
    found = [Difference("", "", (), 0, 0.0, None, None, p) for p in (0.04, 0.01, 0.03, None)]
    assert [one.p_adjusted for one in with_holm(found)] == [
        pytest.approx(0.06),
        pytest.approx(0.03),
        pytest.approx(0.06),
        None,
    ]
