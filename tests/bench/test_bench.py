"""What `dltool bench` measures: both sides compute the same, and nobody runs in another's time."""

import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from synthetic_images import write_pictures

from dltool.bench.bare_loop import bare_loop_beside, build_bare_loop
from dltool.bench.bench import bench, compare
from dltool.bench.dltool_loop import DltoolLoop
from dltool.bench.peers import usual_loader
from dltool.bench.stopwatch import Seconds, time_in_turns
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.errors import DataError

TRAININGS = {
    "classes": ["model=mlp", "model.hidden=[8]", "data=iris", "data.batch_size=16", "schedule=one_cycle"],
    "dropout and batch norm": ["model=mlp", "model.hidden=[8]", "model.dropout=0.3", "model.norm=batch", "data=iris"],
    "binary": ["model=logistic", "data=breast_cancer", "trainer.clip_norm=0.1", "trainer.clip_value=0.01"],
    "penalty": ["model=mlp", "model.hidden=[8]", "data=diabetes", "task.l1=0.01", "task.l2=0.1"],
    "sum": ["model=linear", "data=diabetes", "loss=mse", "loss.reduction=sum", "optim=sgd", "optim.lr=1e-5"],
    "class weights": ["model=mlp", "data=iris", "loss=cross_entropy", "loss.class_weights=[1,2,0.5]"],
    "accumulate": ["model=mlp", "model.hidden=[8]", "data=iris", "data.batch_size=17", "trainer.accumulate=3"],
    "bf16": ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.precision=bf16-mixed"],
    "fp16": ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.precision=16-mixed"],
    "LBFGS": ["model=linear", "data=diabetes", "optim=lbfgs", "data.batch_size=full", "schedule=constant"],
    "images": ["model=lenet", "data=digits", "data.batch_size=4", "data.augment.flip=true"],
    "resized batches": ["model=lenet", "data=digits", "data.resize_at=batch", "data.augment.flip=true"],
    "language model": [
        *("model=gpt", "model.dim=8", "model.depth=1", "model.num_heads=2", "model.dropout=0.1", "data=pydoc"),
        *("data.length=8", "data.batch_size=4", "trainer.clip_norm=0.5", "trainer.accumulate=2"),
    ],
    "carried state": [
        *("model=lstm", "model.hidden_dim=8", "data=pydoc", "data.tokenizer.kind=word", "data.tokenizer.max_size=50"),
        *("data.length=4000", "data.batch_size=8", "trainer.clip_norm=0.5"),  # Passes of five batches.
    ],
    "one loss": ["model=autoencoder", "model.hidden=[8]", "data=digits", "data.batch_size=17", "trainer.accumulate=2"],
    "diffusion": ["model=unet", "model.width=4", "model.blocks=1", "data=digits", "data.batch_size=8"],
    "gan": ["model=gan", "model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "data=gaussians"],
}
TINY: dict[str, Any] = {"rounds": 3, "seconds": 0.01, "least_seconds": 0.005, "num_starts": 0}


@pytest.mark.parametrize("name", TRAININGS)
def test_both_compute_the_same(name: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*TRAININGS[name])
    parts = prepare(config)
    before = [p.clone() for p in parts.task.model.parameters()]
    bare = bare_loop_beside(config, parts.task, parts.dataset, parts.settings)
    ours = DltoolLoop(parts, tmp_path)
    same = compare(ours, bare, config["seed"])
    assert same["equal"], same
    assert any((a != b).any() for a, b in zip(before, bare.model.parameters(), strict=True))
    bare.run(2)  # On batches of its own, and dltool with its schedule.
    ours.run(2)
    assert all(updater.schedule.at(0, 0, 100, 10) for updater in ours.trainer.updaters.values())
    ours.close()


def test_a_difference_is_told(configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*TRAININGS["classes"])
    parts = prepare(config)
    bare = bare_loop_beside(config, parts.task, parts.dataset, parts.settings)
    with torch.no_grad():
        next(bare.model.parameters()).mul_(1.001)
    assert not compare(DltoolLoop(parts, tmp_path), bare, config["seed"])["equal"]


@pytest.mark.parametrize("name", ["classes", "gan", "rosenblatt"])
def test_the_report(name: str, configure: Callable[..., Config]) -> None:
    overrides = TRAININGS.get(name, ["model=perceptron", "data=logic"])
    report = bench(configure(*overrides), **TINY)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    both = {"dltool", "hand-written"} if name != "rosenblatt" else {"dltool"}
    assert set(report["figures"]) == both
    assert set(report["times_as_long"]) == both - {"dltool"}
    assert set(report["missing"]) == {"hand-written"} - both
    assert (report["same"] is None) == (name == "rosenblatt")
    for figures in report["figures"].values():
        assert set(figures) == {"samples_per_second", "ms_per_step", "cpu_ms_per_step"}
        for spread in figures.values():
            assert 0 < spread["least"] <= spread["median"] <= spread["most"] < math.inf
        times = figures["samples_per_second"]["median"] * figures["ms_per_step"]["median"]
        samples_per_step = {"classes": 105 / 7, "gan": 64, "rosenblatt": 4}[name]
        assert times / 1000 == pytest.approx(samples_per_step, rel=0.01)


def test_missing_peers_are_named(configure: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltool.bench.peers.importlib.util.find_spec", lambda name: None)
    report = bench(configure(*TRAININGS["classes"]), with_peers=True, **TINY)
    assert report["missing"] == {
        "DataLoader": "not installed; pip install torchvision",
        "Lightning": "not installed; pip install lightning",
    }
    report = bench(configure(*TRAININGS["gan"]), with_peers=True, **TINY)
    assert report["missing"]["Lightning"] == "no usual loop for task=gan"


def test_the_usual_loader_gives_the_same_images(configure: Callable[..., Config]) -> None:
    pytest.importorskip("torchvision")
    parts = prepare(configure("model=lenet", "data=digits", "data.shuffle=false", "data.augment.shift=0"))
    inputs, targets = next(iter(usual_loader(parts)))
    batch = parts.dataset.train.draw()
    torch.testing.assert_close(inputs, batch.inputs, rtol=1e-4, atol=1e-4)
    assert torch.equal(targets, batch.targets)


def test_the_bar_draws_in_dltools_own_rounds_only(configure: Callable[..., Config], tmp_path: Path) -> None:
    ours = DltoolLoop(prepare(configure(*TRAININGS["classes"])), tmp_path)
    before, during = threading.active_count(), []
    take_step = ours.trainer.train_step

    def step() -> None:
        during.append(threading.active_count())
        take_step()

    ours.trainer.train_step = step  # type: ignore[method-assign]
    assert ours.time_steps(30).wall > 0
    assert set(during) == {before + 1}
    end = time.monotonic() + 60  # The bar's thread is told to end, and not waited for.
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() == before, threading.enumerate()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "metrics.jsonl",
        "metrics.csv",
        "status.json",
    }
    assert "val" not in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")


def test_turns_alternate() -> None:
    calls: list[str] = []

    def contestant(name: str, seconds: float) -> Callable[[int], Seconds]:
        def run(num_steps: int) -> Seconds:
            calls.append(f"{name}{num_steps}")
            return Seconds(num_steps * seconds, num_steps * seconds)

        return run

    num_steps, timings = time_in_turns({"a": contestant("a", 0.01), "b": contestant("b", 0.04)}, 3, 6.0, 0.3)
    assert num_steps == 40  # 3 rounds of 40 steps at 0.05 s.
    assert calls[-6:] == ["a40", "b40", "b40", "a40", "a40", "b40"]
    assert [len(times) for times in timings.values()] == [3, 3]
    num_steps, _ = time_in_turns({"a": contestant("a", 0.01), "b": contestant("b", 0.04)}, 3, 0.1, 0.3)
    assert num_steps == 30  # At least 0.3 s for the faster one.


def in_files(folder: Path) -> list[str]:
    root = write_pictures(folder, ("ants", "bees"), 20)
    return ["model=lenet", "data=image_folder", f"data.root={root}", "data.size=32", "data.batch_size=8"]


def test_decoded_files_are_benched_like_any_images(configure: Callable[..., Config], tmp_path: Path) -> None:
    report = bench(configure(*in_files(tmp_path), "data.augment.flip=true"), **TINY)
    assert set(report["figures"]) == {"dltool", "hand-written"}
    assert report["same"]["equal"], report["same"]
    assert not report["missing"]


@pytest.mark.parametrize("residency", ["loader", "auto"])
def test_nobody_writes_by_hand_what_decodes_for_each_batch(
    residency: str, configure: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltool.data.memory.available_memory", lambda: 0.0)  # "auto" becomes "loader" then.
    config = configure(*in_files(tmp_path), f"data.residency={residency}", "data.workers=0")
    report = bench(config, with_peers=True, **TINY)
    assert set(report["figures"]) == {"dltool"}
    assert "hand-written" in report["missing"]
    assert report["same"] is None
    with pytest.raises(DataError, match="needs the data in memory"):
        build_bare_loop(config)


def test_the_hand_written_loop_begins_from_nothing(configure: Callable[..., Config]) -> None:
    loop = build_bare_loop(configure(*TRAININGS["images"]))
    before = [p.clone() for p in loop.model.parameters()]
    loop.run(3)
    assert all((a != b).any() for a, b in zip(before, loop.model.parameters(), strict=True))
