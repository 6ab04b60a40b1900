"""The pictures of a network of images after its training."""

import json
from collections.abc import Callable
from pathlib import Path

OF_A_RUN = {"kernels.png", "feature_maps.png", "confusion.png", "misclassified.png"}


def test_a_run_and_its_evaluation_draw_them(dltool_here: Callable) -> None:
    small = ["model=lenet", "trainer.epochs=1", "data.batch_size=256", "trainer.average.kind=ema"]
    done = dltool_here("train", *small, "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path("run/plots").iterdir()} >= OF_A_RUN
    done = dltool_here("evaluate", "run", "--plots", "pictures", "--split", "val", "--tta", "shift")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path("pictures").iterdir()} == OF_A_RUN | {"receptive_field.png"}
    done = dltool_here("train", "--from", "run", "logger.plots=false", "run.dir=none")
    assert not Path("none/plots").exists()
    with_them, without = (json.loads(Path(run, "status.json").read_text())["metrics"] for run in ("run", "none"))
    assert with_them == without


def test_what_cannot_be_seen_is_left_out(dltool_here: Callable) -> None:
    short = ["trainer.steps=2", "data.batch_size=32"]
    dltool_here("train", "model=mlp", *short, "data.test_fraction=0", "task.metrics=[accuracy]", "run.dir=mlp")
    assert OF_A_RUN & {path.name for path in Path("mlp/plots").iterdir()} == OF_A_RUN - {"feature_maps.png"}
    dltool_here("train", "model=linear", *short, "data.test_fraction=0", "data.val_fraction=0", "run.dir=nothing_held")
    assert OF_A_RUN & {path.name for path in Path("nothing_held/plots").iterdir()} == {"kernels.png"}
    dltool_here("train", "model=gan", *short, "run.dir=gan")
    assert Path("gan/status.json").exists()
    assert not OF_A_RUN & {path.name for path in Path("gan").rglob("*.png")}
