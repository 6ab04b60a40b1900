"""An augmentation of the user's own, behind --trust: the same in memory, through workers, and after a resume."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from dltool.build.components import build_data
from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.data.augment import Augmentation
from dltool.data.folder_data import FolderData
from dltool.data.image_folder import image_folder
from dltool.data.own_augmentation import ImageAugmentation, OwnVariation
from dltool.declarations.examples import example_file

Dltool = Callable[..., subprocess.CompletedProcess[str]]
CPU = torch.device("cpu")
TRUST = ["--trust", "augmentation.py", "augment=random_erasing", "augment.probability=1"]
SHORT = ["model=mlp", "data.batch_size=160", "schedule=constant", "trainer.threads=1", "--quiet"]


class Marks(ImageAugmentation):
    """Writes a number of the sample's own into its first pixel."""

    def draw(self, num_samples: int, rng: torch.Generator) -> Tensor:
        return torch.rand(num_samples, generator=rng)

    def apply(self, images: Tensor, rows: Tensor) -> Tensor:
        images[:, :, 0, 0] = (255 * rows).to(images.dtype)[:, None]
        return images


def batches(folder: Path, residency: str, workers: int, skipped: int = 0) -> list[Tensor]:
    data = FolderData(
        lambda rng: image_folder(rng, root=str(folder)), residency=residency, workers=workers, batch_size=5, size=8
    )
    data.prepare(seed=3, device=CPU, augmentation=OwnVariation("marks", Marks()))
    data.train.draws = skipped
    return [data.train.draw().inputs for _ in range(8 - skipped)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(24):
        path = tmp_path / "images" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 * i).save(path)
    return tmp_path / "images"


def test_batches_are_the_same_wherever_the_images_are(folder: Path) -> None:
    expected = batches(folder, "device", 0)
    assert len({round(x, 3) for batch in expected for x in batch[:, 0, 0, 0].tolist()}) > 20  # Its own number each.
    for residency, workers in (("host", 0), ("loader", 0), ("loader", 2)):
        for one, other in zip(expected, batches(folder, residency, workers), strict=True):
            assert torch.allclose(one, other, atol=1e-5)  # Of a loader, the scaling is fitted to a sample.
    for one, other in zip(expected[3:], batches(folder, "device", 0, skipped=3), strict=True):
        assert one.equal(other)


def test_it_comes_after_the_other_variations() -> None:
    own = OwnVariation("marks", Marks())
    augmenter = Augmentation(shift=1, contrast=0.3).augmenter((8, 8), own)
    assert augmenter.variations[-1] is own
    assert Augmentation().augmenter((8, 8), own).active
    assert augmenter.describe() == "shift 1, contrast 0.3, marks"
    notes = augmenter.notes(generative=False)
    assert notes == ["training images are augmented: shift 1, contrast 0.3 (data.augment), marks (augment)"]
    order = torch.randperm(9)
    tables = augmenter.tables(order, seed=1, epoch=2, device=CPU)
    assert tables[-1].equal(own.draw(9, 1, 2)[order])
    assert not own.draw(9, 1, 2).equal(own.draw(9, 1, 3))
    assert not own.draw(9, 1, 2).equal(own.draw(9, 2, 2))


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (lambda images: images[:, :, 1:], r"apply returns \(2, 1, 7, 8\) of uint8 on cpu; needed: \(2, 1, 8, 8\)"),
        (lambda images: images.double(), "apply returns .* of float64"),
        (lambda images: images.float() - 1, "apply returns values of -1 … -1; needed: pixels of 0 … 255"),
        (lambda images: images.float() / 0, "apply returns values of nan … nan"),
        (lambda images: None, "apply returns a NoneType"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(method: Callable[[Tensor], Tensor], problem: str) -> None:
    class Wrong(Marks):
        def apply(self, images: Tensor, rows: Tensor) -> Tensor:
            return method(images)

    with pytest.raises(ConfigError, match=rf"test_own_augmentation.py, line \d+: augment=marks: {problem}"):
        OwnVariation("marks", Wrong()).try_out(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), 0)


def test_a_table_needs_a_row_per_sample() -> None:
    class Wrong(Marks):
        def draw(self, num_samples: int, rng: torch.Generator) -> Tensor:
            return torch.rand(4, generator=rng)

    with pytest.raises(ConfigError, match=r"draw returns \(4,\) of float32 on cpu; needed: a tensor of 2 rows"):
        OwnVariation("marks", Wrong()).try_out(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), 0)


def test_a_resumed_training_equals_an_uninterrupted_one(dltool_here: Dltool) -> None:
    Path("augmentation.py").write_text(example_file("augmentation").read_text())
    whole = dltool_here("train", *TRUST, *SHORT, "trainer.steps=16", "run.dir=whole")
    assert whole.returncode == 0, whole.stderr
    # 8 steps an epoch: this one stops within the second.
    assert dltool_here("train", *TRUST, *SHORT, "trainer.steps=11", "run.dir=part").returncode == 0
    resumed = dltool_here("resume", "--trust", "augmentation.py", "part", "trainer.steps=16", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    states = [load_file(f"{run}/checkpoints/step-000016/weights.safetensors") for run in ("whole", "part")]
    assert states[0].keys() == states[1].keys()
    assert all(value.equal(states[1][name]) for name, value in states[0].items())
    assert yaml.safe_load(Path("whole/config.yaml").read_text())["augment"]["probability"] == 1
    record = json.loads(Path("whole/environment.json").read_text())["trusted"][0]
    assert record["registers"] == ["augment=random_erasing"]
    assert Path("whole/plots/augmented.png").exists()
    refused = dltool_here("resume", "part", "trainer.steps=20")
    assert refused.returncode == 2
    assert "augment=random_erasing does not belong to dltool: the run used" in refused.stderr
    changed = dltool_here("resume", "--trust", "augmentation.py", "part", "trainer.steps=20", "augment=none")
    assert "augment.name was random_erasing in this run and cannot become none on resume" in changed.stderr


def test_data_without_images_has_no_augmentation(dltool_here: Dltool) -> None:
    Path("augmentation.py").write_text(example_file("augmentation").read_text())
    refused = dltool_here("train", *TRUST, "data=iris", "model=mlp")
    assert refused.returncode == 2
    assert "error: augment=random_erasing augments images, and data=iris has none" in refused.stderr
    assert "hint: augment=none" in refused.stderr
    pairs = check(compose(["data=digit_pairs", "model=cyclegan", *TRUST[2:]]))
    dataset = build_data(pairs, CPU)
    assert all(domain.train.augment.own.name == "random_erasing" for domain in dataset.domains)
