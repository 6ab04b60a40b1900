"""Two domains of images drawn side by side."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.errors import ConfigError, DataError
from dltool.data.builtin import digits
from dltool.data.digit_styles import STYLES
from dltool.data.unpaired_data import UnpairedData
from dltool.data.unpaired_folders import unpaired_folders

MODEL = ["model=cyclegan", "model.width=2", "model.blocks=0", "model.discriminator_width=2"]


@pytest.fixture
def data(configure: Callable[..., Config]) -> Callable[..., UnpairedData]:
    def load(*words: str) -> UnpairedData:
        dataset = prepare(configure(*MODEL, *words)).dataset
        assert isinstance(dataset, UnpairedData)
        return dataset

    return load


def write(folder: Path, count: int, size: tuple[int, int], start: int = 0) -> None:
    """Pictures each of one grey, `start`, `start + 1`, …"""
    folder.mkdir(parents=True)
    for number in range(start, start + count):
        Image.fromarray(np.full((*size, 3), number, dtype=np.uint8)).save(folder / f"{number}.png")


def greys(images: torch.Tensor) -> list[int]:
    return [round(value) for value in ((images[:, 0, 0, 0] + 1) * 127.5).tolist()]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write(tmp_path / "trainA", 5, (20, 30))
    write(tmp_path / "trainB", 12, (40, 16), start=100)
    write(tmp_path / "testA", 1, (20, 20), start=50)
    write(tmp_path / "testB", 3, (8, 8), start=150)
    return tmp_path


PLAIN = ["data.val_fraction=0", "data.size=16", "data.augment.flip=false", "data.augment.shift=0"]


def test_two_folders_of_different_length_and_sizes(data: Callable[..., UnpairedData], folders: Path) -> None:
    dataset = data("data=unpaired_folders", f"data.root={folders}", *PLAIN, "data.batch_size=2")
    source = dataset.train
    assert dataset.sizes == {"train": 17, "test": 4}
    assert (dataset.spec.input_shape, dataset.spec.target, dataset.spec.input_range) == ((3, 16, 16), "images", (-1, 1))
    assert (source.batches_per_epoch, source.samples_per_epoch) == (6, 12)
    batches = [source.draw() for _ in range(12)]
    assert all(batch.inputs.shape == batch.targets.shape == (2, 3, 16, 16) for batch in batches)
    assert batches[0].labels is None
    # A pass is one of B; A begins again in another order, each time without an image that does not fill a batch.
    of_b = [greys(torch.cat([batch.targets for batch in part])) for part in (batches[:6], batches[6:])]
    assert sorted(of_b[0]) == sorted(of_b[1]) == list(range(100, 112))
    assert of_b[0] != of_b[1]
    for start in range(0, 12, 2):
        assert len(set(greys(torch.cat([batch.inputs for batch in batches[start : start + 2]])))) == 4


def test_every_held_out_image_is_measured_once(data: Callable[..., UnpairedData], folders: Path) -> None:
    words = ["data=unpaired_folders", f"data.root={folders}", *PLAIN, "data.eval_batch_size=2"]
    batches = list(data(*words).evaluation("test"))
    assert [greys(batch.inputs) for batch in batches] == [[50], []]
    assert [greys(batch.targets) for batch in batches] == [[150, 151], [152]]


def test_a_draw_follows_from_the_seed_and_its_number(data: Callable[..., UnpairedData], folders: Path) -> None:
    words = ["data=unpaired_folders", f"data.root={folders}", "data.val_fraction=0", "data.size=16"]
    first, resumed, other = data(*words), data(*words), data(*words, "seed=1")
    drawn = [first.train.draw() for _ in range(9)]
    resumed.train.draws = 8
    again = resumed.train.draw()
    assert torch.equal(again.inputs, drawn[8].inputs)
    assert torch.equal(again.targets, drawn[8].targets)
    orders = [[greys(d.train.draw().targets) for _ in range(12)] for d in (data(*words), other)]
    assert orders[0] != orders[1]


def test_a_files_batches_decoded_anew_are_the_same(data: Callable[..., UnpairedData], folders: Path) -> None:
    words = ["data=unpaired_folders", f"data.root={folders}", "data.val_fraction=0", "data.size=16"]
    kept, streamed = data(*words).train, data(*words, "data.residency=loader", "data.workers=0").train
    for _ in range(14):
        for left, right in zip(kept.draw()[:2], streamed.draw()[:2], strict=True):
            assert torch.equal(left, right)


def test_few_batches_again_and_again(data: Callable[..., UnpairedData], folders: Path) -> None:
    words = ["data=unpaired_folders", f"data.root={folders}", *PLAIN, "trainer.overfit_batches=2"]
    source = data(*words).train
    assert source.batches_per_epoch == 2
    drawn = [source.draw() for _ in range(4)]
    for first, again in zip(drawn[:2], drawn[2:], strict=True):
        assert torch.equal(first.inputs, again.inputs)
        assert torch.equal(first.targets, again.targets)


def test_a_batch_larger_than_a_domain(data: Callable[..., UnpairedData], folders: Path) -> None:
    words = ["data=unpaired_folders", f"data.root={folders}", *PLAIN]
    with pytest.raises(DataError, match="batch_size=8 is more than the 5 training images of domain A") as caught:
        data(*words, "data.batch_size=8")
    assert caught.value.hint == "data.batch_size=5"


def test_plain_a_and_b_are_split_here(data: Callable[..., UnpairedData], tmp_path: Path) -> None:
    for name in "AB":
        write(tmp_path / name / "inner", 20, (16, 16))
    dataset = data("data=unpaired_folders", f"data.root={tmp_path}", "data.channels=grey")
    assert dataset.sizes == {"train": 32, "val": 4, "test": 4}
    assert dataset.spec.input_shape == (1, 16, 16)


def test_folders_that_are_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere") as caught:
        unpaired_folders(root=str(tmp_path / "nowhere"))
    assert "trainA, trainB" in str(caught.value.hint)
    write(tmp_path / "trainA", 1, (8, 8))
    with pytest.raises(DataError, match="neither trainB nor B, but trainA"):
        unpaired_folders(root=str(tmp_path))
    (tmp_path / "trainB").mkdir()
    with pytest.raises(DataError, match="trainB has no images"):
        unpaired_folders(root=str(tmp_path))
    write(tmp_path / "A", 1, (8, 8))
    with pytest.raises(DataError, match="trainA beside A"):
        unpaired_folders(root=str(tmp_path))


def test_a_split_of_one_domain_alone(data: Callable[..., UnpairedData], folders: Path) -> None:
    for path in (folders / "testB").iterdir():
        path.unlink()
    (folders / "testB").rmdir()
    with pytest.raises(DataError, match="one domain alone has a test split"):
        data("data=unpaired_folders", f"data.root={folders}", *PLAIN, "data.test_fraction=0")


def test_pairs_of_digits_are_of_different_digits(data: Callable[..., UnpairedData]) -> None:
    dataset = data("data=digit_pairs", "data.pair=inverted")
    a, b = dataset.domains
    assert dataset.spec.input_shape == (1, 32, 32)
    rows = [set(domain.splits[split].places.tolist()) for domain in (a, b) for split in ("train", "val", "test")]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 1797
    for split in ("train", "val", "test"):
        counts = [torch.bincount(domain.splits[split].targets, minlength=10) for domain in (a, b)]
        assert (counts[0] - counts[1]).abs().max() <= 1
    labels = digits(torch.Generator()).train.targets
    batch = next(dataset.evaluation("test"))
    assert batch.labels is not None
    for known, domain in zip(batch.labels, (a, b), strict=True):
        assert torch.equal(known, labels[domain.splits["test"].places[: len(known)]])
    assert batch.inputs.mean() < -0.2 < 0.2 < batch.targets.mean()


def test_the_judges_held_out_digits_are_those_of_the_pairs(
    data: Callable[..., UnpairedData], configure: Callable[..., Config]
) -> None:
    sample_evaluator = prepare(configure("data=digit_styles", "data.styles=[thin,thick]")).dataset
    held_out = {int(name) for name in sample_evaluator.sample_names("test")}
    assert sample_evaluator.sizes["test"] == 2 * len(held_out)
    a, b = data("data=digit_pairs").domains
    assert held_out == {*a.splits["test"].places.tolist(), *b.splits["test"].places.tolist()}


def test_looks_by_hand() -> None:
    image = torch.tensor([[[[0, 0, 0, 0], [0, 9, 8, 0], [0, 7, 6, 0], [0, 0, 0, 5]]]], dtype=torch.uint8)
    expected = {
        "upright": image.tolist()[0][0],
        "inverted": [[255, 255, 255, 255], [255, 246, 247, 255], [255, 248, 249, 255], [255, 255, 255, 250]],
        "turned": [[5, 0, 0, 0], [0, 6, 7, 0], [0, 8, 9, 0], [0, 0, 0, 0]],
        "thin": [[0, 0, 0, 0], [0, 6, 0, 0], [0, 0, 0, 0], [0, 0, 0, 5]],
        "thick": [[9, 9, 9, 8], [9, 9, 9, 8], [9, 9, 9, 8], [7, 7, 7, 6]],
    }
    for name, rows in expected.items():
        assert STYLES[name](image).tolist() == [[rows]], name


def test_mnist_where_it_is(data: Callable[..., UnpairedData], configure: Callable[..., Config], tmp_path: Path) -> None:
    from synthetic_images import write_mnist

    root = write_mnist(tmp_path)
    dataset = data("data=digit_pairs", "data.source=mnist", f"data.root={root}")
    assert dataset.spec.input_shape == (1, 28, 28)
    assert dataset.sizes["test"] == 100
    with pytest.raises(ConfigError, match=r"data\.root is the folder of MNIST"):
        configure(*MODEL, "data=digit_pairs", f"data.root={root}")
