"""The content of a notebook's display, without a kernel."""

from dltool.api.live import MOST_POINTS, LiveDisplay
from dltool.core.language import in_language
from dltool.engine.observer import Progress

CONFIG = {
    "model": {"name": "<mlp>"},
    "data": {"name": "iris", "batch_size": 16},
    "optim": {"name": "adam", "lr": 0.01},
    "seed": 3,
}


def display() -> LiveDisplay:
    shown = LiveDisplay(CONFIG)
    shown.progress = Progress(step=25, epoch=2, total_steps=100, total_epochs=8, metrics={"val/loss": 0.5})
    shown.on_record({"step": 25, "epoch": 2, "split": "val", "val/loss": 0.5, "val/accuracy": 0.75})
    return shown


def test_it_has_bar_metrics_and_settings() -> None:
    drawn = display().drawn()
    assert drawn["text/plain"].startswith("<mlp> on iris  [########......................] 25%  epoch 3/8")
    assert "val/loss 0.5000" in drawn["text/plain"]
    assert "&lt;mlp&gt; on iris" in drawn["text/html"]
    assert '<progress value="0.2500" max="1"' in drawn["text/html"]
    assert "learning rate 0.01, batches of 16, seed 3, step 25" in drawn["text/html"]
    assert display().curves["loss"]["val"] == [(2.0, 0.5)]  # In epochs of 12.5 steps.


def test_it_is_chinese_too() -> None:
    with in_language("zh"):
        assert "学习率 0.01，批大小 16，种子 3" in display().drawn()["text/html"]


def test_long_curves_are_thinned() -> None:
    shown = display()
    for step in range(3 * MOST_POINTS):
        shown.on_record({"step": step, "epoch": 0, "split": "step", "step/loss": 1.0 if step != 7 else 9.0})
    kept = shown.curves["loss"]["step"]
    assert len(kept) <= MOST_POINTS
    assert max(value for _, value in kept) == 9.0


def test_a_training_that_fails_before_it_starts_is_not_shown() -> None:
    shown = LiveDisplay(CONFIG)
    shown.on_end()
    assert shown._handle is None
