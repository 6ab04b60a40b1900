import statistics
from pathlib import Path

import pytest
from fabricated import make_run
from PIL import Image

from dltool.runs.catalog import read_run
from dltool.runs.curves import MAX_LEGEND, common_metrics, draw_runs, make_curves, read_logs


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


@pytest.mark.parametrize("num_runs", [1, 3, MAX_LEGEND + 6])
@pytest.mark.parametrize("name", ["picture.png", "图.svg"])
def test_pictures(tmp_path: Path, num_runs: int, name: str, recwarn: pytest.WarningsRecorder) -> None:
    curves = [[1.0 + n, float("nan") if n == 1 else 0.001 * (n + 1)] for n in range(num_runs)]
    runs = [make_run(tmp_path / f"r{n}", {"optim.lr": n, "seed": n}, curve=curve) for n, curve in enumerate(curves)]
    logs = read_logs([read_run(run) for run in runs])
    draw_runs(logs, ["val/loss", "train/loss"], tmp_path / name, unit="epoch", group=num_runs == 3)
    assert not recwarn.list
    if name.endswith(".png"):
        with Image.open(tmp_path / name) as image:
            shades = image.convert("RGB").getcolors(maxcolors=1 << 24)
        assert shades is not None
        assert len([color for _, color in shades if max(color) - min(color) > 100]) >= num_runs
    else:
        assert (tmp_path / name).read_text().startswith("<?xml")
