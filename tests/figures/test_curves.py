import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dltool.figures.curves import collect_curves, learning_curves
from dltool.figures.drawing import LEARNING_RATE
from dltool.figures.saving import save_figure


def supervised(num_epochs: int, *, val: bool = True) -> list[dict[str, Any]]:
    records = []
    for epoch in range(1, num_epochs + 1):
        step = 23 * epoch
        train = {"train/loss": 2 * 0.5**epoch, "train/accuracy": 1 - 0.5**epoch, "train/lr": 1e-3}
        records.append({"step": step, "epoch": epoch, "split": "train", **train})
        if val:
            records.append({"step": step, "epoch": epoch, "split": "val", "val/loss": 0.1, "val/accuracy": 0.9})
    test = {"test/loss": 0.1, "test/accuracy": 0.98}
    records.append({"step": 23 * num_epochs, "epoch": num_epochs, "split": "test", **test})
    return records


def ink(path: Path, color: tuple[int, int, int] = (255, 255, 255), *, without: bool = True) -> float:
    """Share of the pixels that have not (or have) the color."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        share = (np.asarray(image.convert("RGB")) == color).all(axis=2).mean()
    return float(1 - share if without else share)


CASES = {
    "thirty epochs": supervised(30),
    "one epoch": supervised(1),
    "no validation": supervised(3, val=False),
    "one point": [{"step": 5, "epoch": 0, "split": "train", "train/loss": 1.0}],
    "only nan": [{"step": 5, "epoch": 0, "split": "train", "train/loss": math.nan}],
    "nan at the end": [*supervised(3), {"step": 92, "epoch": 4, "split": "train", "train/loss": math.nan}],
    "step zero": [{"step": 0, "epoch": 0, "split": "val", "val/loss": 1.0}],
    "only test": [{"step": 5, "epoch": 1, "split": "test", "test/accuracy": 0.5}],
    "steps and epochs": [*supervised(2), {"step": 40, "epoch": 1, "split": "step", "step/loss": 1.0, "step/lr": 0.1}],
    "steps alone": [{"step": s, "epoch": 0, "split": "step", "step/loss": 1.0, "step/lr": 0.0} for s in (50, 100)],
    "two optimizers": [{"step": 5, "epoch": 1, "split": "train", "train/lr_a": 0.1, "train/lr_b": 0.1}],
    "dollars": [{"step": 5, "epoch": 1, "split": "val", "val/$x_{$": 0.5}],
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_run_has_its_picture(name: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "plots" / "curves.png"
    figure = learning_curves(CASES[name], steps_per_epoch=23, title="lenet on digits", subtitle="cost_in_$_{$")
    save_figure(figure, path)
    assert 0.005 < ink(path) < 0.5
    assert not recwarn.list


def test_size_follows_the_number_of_panels(tmp_path: Path) -> None:
    sizes = {}
    for num_metrics in (1, 3, 4):
        values = {f"train/m{i}": 1.0 for i in range(num_metrics)}
        path = tmp_path / f"{num_metrics}.png"
        save_figure(learning_curves([{"step": 1, "epoch": 0, "split": "train", **values}]), path)
        with Image.open(path) as image:
            sizes[num_metrics] = image.size
    assert sizes == {1: (720, 528), 3: (1872, 528), 4: (1296, 948)}


def test_validation_and_test_are_drawn(tmp_path: Path) -> None:
    with_all, train_only = tmp_path / "a.png", tmp_path / "b.png"
    save_figure(learning_curves(supervised(5)), with_all)
    save_figure(learning_curves([r for r in supervised(5) if r["split"] == "train"]), train_only)
    orange, green = (255, 127, 14), (44, 160, 44)
    for color in (orange, green):
        assert ink(with_all, color, without=False) > 0
        assert ink(train_only, color, without=False) == 0


def test_curves_by_metric_and_split() -> None:
    roles = {"train/lr_generator": 2e-4, "train/lr_critic": 1e-4}
    records = [
        {"step": 46, "epoch": 2, "split": "train", "train/accuracy": 0.5, "train/loss": 1, **roles},
        {"step": 46, "epoch": 2, "split": "val", "val/loss": 2.0, "val/note": "text"},
    ]
    curves = collect_curves(records, steps_per_epoch=23)
    assert list(curves) == ["loss", "accuracy", LEARNING_RATE]  # losses first, learning rates last
    assert curves["loss"] == {"train": [(2.0, 1.0)], "val": [(2.0, 2.0)]}
    assert curves[LEARNING_RATE] == {"generator": [(2.0, 2e-4)], "critic": [(2.0, 1e-4)]}
