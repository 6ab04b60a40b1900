import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from watching import watch

from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.observer import Progress
from dltool.figures.image_table import image_table
from dltool.observers import samples
from dltool.observers.samples import SamplesPlot
from dltool.tasks.outputs import Picture
from dltool.tasks.task import Task

IMAGES = DataSpec((1, 8, 8), target="none", input_range=(-1.0, 1.0))
RING = tuple((2 * math.cos(math.pi * k / 4), 2 * math.sin(math.pi * k / 4)) for k in range(8))
POINTS = DataSpec((2,), target="none", centers=RING, center_std=0.05)


class TinyGan(Task):
    """A generator with all that a picture could disturb: dropout, batch norm, default generators, gradients."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        width = math.prod(shape)
        generator = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(), nn.Tanh())
        super().__init__(nn.ModuleDict({"generator": generator, "discriminator": nn.Linear(width, 1)}))
        self.roles = {"generator": generator}
        self.drawn: list[Tensor] = []

    def samples(self, count: int) -> Tensor:
        samples = self.roles["generator"](torch.randn(count, 4)).view(count, *self.shape)
        self.drawn.append(samples)
        return samples


def started(task: Task, run_dir: Path, spec: DataSpec, progress: Progress, every: int | None = None) -> SamplesPlot:
    observer = SamplesPlot(watch(run_dir, spec), every_n_epochs=every)
    observer.on_start(task, progress)
    return observer


def names(run_dir: Path) -> list[str]:
    return sorted(path.name for path in (run_dir / "samples").glob("*.png"))


def run_epochs(observer: SamplesPlot, progress: Progress, count: int, steps_per_epoch: int = 10) -> None:
    for _ in range(count):
        progress.step += steps_per_epoch
        progress.epoch += 1
        observer.on_epoch()


@pytest.mark.parametrize("spec", [IMAGES, POINTS], ids=["images", "points"])
def test_training_is_not_changed(spec: DataSpec, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = TinyGan(spec.input_shape)
    task.model.train()
    frozen_dropout = task.roles["generator"][2]
    frozen_dropout.eval()
    modes = [module.training for module in task.model.modules()]
    weights = {name: value.clone() for name, value in task.model.state_dict().items()}
    random_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].tolist()

    progress = Progress(total_steps=10, total_epochs=1)
    run_epochs(started(task, tmp_path, spec, progress), progress, 1)

    assert names(tmp_path) == ["epoch-0001.png"]
    assert [module.training for module in task.model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert np.random.get_state()[1].tolist() == numpy_state
    assert not task.drawn[0].requires_grad
    assert torch.is_grad_enabled()
    for name, value in task.model.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_everything_is_put_back_after_an_error(tmp_path: Path) -> None:
    class Broken(TinyGan):
        def samples(self, count: int) -> Tensor:
            raise RuntimeError("out of memory")

    task = Broken((2,))
    random_state = torch.get_rng_state()
    progress = Progress(total_steps=10, total_epochs=1)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_epochs(started(task, tmp_path, POINTS, progress), progress, 1)
    assert all(module.training for module in task.model.modules())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()


def test_every_picture_is_from_the_same_noise(tmp_path: Path) -> None:
    task, progress = TinyGan((1, 8, 8)), Progress(total_steps=20, total_epochs=2)
    observer = started(task, tmp_path, IMAGES, progress)
    run_epochs(observer, progress, 1)
    torch.manual_seed(99)
    run_epochs(observer, progress, 1)
    assert torch.equal(*task.drawn)
    assert len(task.drawn[0]) == 64


def test_rows_have_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[tuple[int, ...], Sequence[str]]] = []

    def table(images: np.ndarray, value_range: Any, row_names: Sequence[str], *words: Any) -> Any:
        drawn.append((images.shape, row_names))
        return image_table(images, value_range, row_names, *words)

    monkeypatch.setattr(samples, "image_table", table)
    task, progress = TinyGan((1, 8, 8)), Progress(total_steps=10, total_epochs=1)
    picture = Picture(torch.rand(6, 1, 8, 8), 3, ("A", "A → B"))
    monkeypatch.setattr(task, "picture", lambda *_: picture)
    run_epochs(started(task, tmp_path, IMAGES, progress), progress, 1)
    assert drawn == [((2, 3, 1, 8, 8), ("A", "A → B"))]
    assert names(tmp_path) == ["epoch-0001.png"]


def test_which_epochs_are_drawn(tmp_path: Path) -> None:
    progress = Progress(total_steps=75, total_epochs=7)
    observer = started(TinyGan((1, 8, 8)), tmp_path, IMAGES, progress, every=3)
    run_epochs(observer, progress, 7)
    observer.on_end()  # The last epoch has none yet.
    (tmp_path / "samples" / "epoch-0007.png").write_bytes(b"of epoch 7")
    progress.step += 5
    observer.on_end()  # Interrupted in epoch 8, which has no picture.
    assert (tmp_path / "samples" / "epoch-0007.png").read_bytes() == b"of epoch 7"
    assert names(tmp_path) == [f"epoch-000{epoch}.png" for epoch in (1, 3, 6, 7)]


@pytest.mark.parametrize("total_epochs", [200, None])
def test_about_fifty_pictures_by_default(total_epochs: int | None, tmp_path: Path) -> None:
    progress = Progress(total_steps=2000, total_epochs=total_epochs)
    observer = started(TinyGan((1, 2, 2)), tmp_path, IMAGES, progress)
    run_epochs(observer, progress, 200)
    observer.on_end()
    assert len(names(tmp_path)) == 51
    assert names(tmp_path)[-1] == ("step-002000.png" if total_epochs is None else "epoch-0200.png")


def test_a_resume_draws_what_a_kill_has_prevented(tmp_path: Path) -> None:
    """The last checkpoint comes before the last picture, and the film after both."""
    done = Progress(step=30, epoch=3, total_steps=30, total_epochs=3)
    observer = started(TinyGan((2,)), tmp_path, POINTS, done)
    observer.on_end()
    assert names(tmp_path) == ["epoch-0003.png"]
    earlier, film = tmp_path / "samples" / "epoch-0001.png", tmp_path / "samples" / "training.gif"
    earlier.write_bytes((tmp_path / "samples" / "epoch-0003.png").read_bytes())
    started(TinyGan((2,)), tmp_path, POINTS, done).on_end()
    assert film.exists()
    film.write_bytes(b"the film")
    started(TinyGan((2,)), tmp_path, POINTS, done).on_end()
    assert film.read_bytes() == b"the film"  # Nothing was missing.


def test_in_the_middle_of_an_epoch_no_picture_is_missing(tmp_path: Path) -> None:
    middle = Progress(step=25, epoch=2, total_steps=30, total_epochs=3)
    started(TinyGan((2,)), tmp_path, POINTS, middle).on_end()
    assert names(tmp_path) == []


def test_a_checkpoint_waits_for_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(SafePath, "sync", lambda file: synced.append(file.name))
    progress = Progress(total_steps=30, total_epochs=3)
    observer = started(TinyGan((2,)), tmp_path, POINTS, progress)
    run_epochs(observer, progress, 2)
    observer.before_checkpoint()
    assert synced == names(tmp_path) == ["epoch-0001.png", "epoch-0002.png"]
    observer.before_checkpoint()
    assert len(synced) == 2


@pytest.mark.parametrize(
    ("task", "spec"),
    [(Task(nn.Linear(1, 1)), IMAGES), (TinyGan((5,)), DataSpec((5,), target="none"))],
    ids=["no samples", "no picture of five numbers"],
)
def test_nothing_to_draw(task: Task, spec: DataSpec, tmp_path: Path) -> None:
    progress = Progress(total_steps=10, total_epochs=1)
    observer = started(task, tmp_path, spec, progress)
    run_epochs(observer, progress, 1)
    observer.on_end()
    assert not (tmp_path / "samples").exists()
