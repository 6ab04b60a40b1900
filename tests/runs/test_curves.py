import statistics
from pathlib import Path

import pytest
from fabricated import make_run

from dltool.runs.catalog import read_run
from dltool.runs.curves import common_metrics, make_curves, read_logs


def test_points_in_steps_and_in_epochs(tmp_path: Path) -> None:
    (log,) = read_logs([read_run(make_run(tmp_path / "run", curve=[0.5, 0.25]))])
    assert log.points("val/loss", "step") == {10: 0.5, 20: 0.25}
    assert log.points("val/loss", "epoch") == {1: 0.5, 2: 0.25}
    (empty,) = read_logs([read_run(make_run(tmp_path / "empty"))])
    assert empty.steps_per_epoch is None
    assert empty.points("val/loss", "epoch") == {}


def test_seeds_become_a_mean_and_a_spread(tmp_path: Path) -> None:
    """Over those that reached the step: the third run was interrupted in its second epoch."""
    for seed, curve in enumerate([[1.0, 0.5], [2.0, 0.7], [6.0]]):
        make_run(tmp_path / f"seed{seed}", {"seed": seed}, curve=curve)
    make_run(tmp_path / "other", {"optim.lr": 0.5}, curve=[4.0])
    runs = [read_run(tmp_path / name) for name in ("seed0", "other", "seed1", "seed2")]
    mean, other = make_curves(read_logs(runs), "val/loss", "epoch", group=True)
    assert (mean.label, other.label) == ("optim.lr=0.001 (n=3)", "optim.lr=0.5 (n=1)")
    assert mean.points == [
        (1.0, 3.0, pytest.approx(statistics.stdev([1, 2, 6]))),
        (2.0, pytest.approx(0.6), pytest.approx(statistics.stdev([0.5, 0.7]))),
    ]
    assert other.points == [(1.0, 4.0, 0.0)]
    assert len(make_curves(read_logs(runs), "val/loss", "epoch", group=False)) == 4


def test_the_metrics_that_all_runs_share(tmp_path: Path) -> None:
    both = read_logs([read_run(make_run(tmp_path / name, curve=[1.0])) for name in "ab"])
    assert common_metrics(both) == ["val/loss"]
    lines = '{"step": 5, "epoch": 1, "split": "train", "train/lr": 0.1, "train/loss": 1, "train/error": 2}\n'
    (tmp_path / "b" / "metrics.jsonl").write_text(lines)
    assert common_metrics(read_logs([log.record for log in both])) == ["train/loss"]
    assert common_metrics(read_logs([both[1].record])) == ["train/loss", "train/error"]
    (tmp_path / "b" / "metrics.jsonl").write_text("")
    assert common_metrics(read_logs([log.record for log in both])) == []
