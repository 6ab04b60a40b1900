"""Images that are resized a batch at a time are those that are resized at once."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch
from synthetic_images import write_mnist

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.data import image_data, memory
from dltool.data.arrays import RawData, Split
from dltool.data.augment import Augmentation
from dltool.data.builtin import digits
from dltool.data.digit_styles import StyleData
from dltool.data.image_data import ImageData
from dltool.data.resize import resize_images
from dltool.data.scaling import pixel_scaling
from dltool.engine.checkpoint import load
from dltool.sample_quality.reference_classifier import key_of, recipe_for

CPU = torch.device("cpu")
VARIED = Augmentation(shift=2, flip=True, rotation=10.0, crop=0.5, brightness=0.2, cutout=3, noise=0.02, mixup=0.2)


def coloured(rng: torch.Generator) -> RawData:
    images = torch.randint(256, (150, 3, 9, 7), dtype=torch.uint8, generator=rng)
    return RawData(Split(images, torch.arange(150) % 3), None, None, "classes", ("a", "b", "c"))


def prepared(load: Callable[..., RawData], resize_at: str, **fields: Any) -> ImageData:
    arguments = {key: fields.pop(key) for key in ("pixel_scaling", "channels_last") if key in fields}
    data = ImageData(load, resize_at=resize_at, **fields)
    data.prepare(0, CPU, **arguments)
    return data


@pytest.mark.parametrize("load", [digits, coloured])
@pytest.mark.parametrize("resize", [[32, 32], [10, 11], [5, 6], [37, 20]], ids=str)
@pytest.mark.parametrize("fields", [{"augment": VARIED}, {"residency": "host"}, {"channels_last": True}], ids=str)
def test_batches_are_the_same_to_the_bit(load: Callable[..., RawData], resize: list[int], fields: Any) -> None:
    fields = {"resize": resize, "batch_size": 37, "eval_batch_size": 41, **fields}
    at_once, by_batch = (prepared(load, at, **fields) for at in ("loading", "batch"))
    assert at_once.spec == by_batch.spec
    assert at_once.preprocessing == by_batch.preprocessing
    assert at_once.splits["train"].inputs.shape[2:] == tuple(resize)
    assert (
        by_batch.splits["train"].inputs.shape == load(torch.Generator()).train.inputs[: by_batch.sizes["train"]].shape
    )
    for _ in range(at_once.train.batches_per_epoch + 2):
        ours, theirs = by_batch.train.draw(), at_once.train.draw()
        assert ours.inputs.equal(theirs.inputs)
        assert ours.inputs.stride() == theirs.inputs.stride()
        assert ours.targets.equal(theirs.targets)
    for split in at_once.sizes:
        for ours, theirs in zip(by_batch.evaluation(split), at_once.evaluation(split), strict=True):
            assert ours.inputs.equal(theirs.inputs)
    assert by_batch.train.first_inputs(50).equal(at_once.train.first_inputs(50))
    if "augment" in fields:
        for ours, theirs in zip(by_batch.train.examples(9) or (), at_once.train.examples(9) or (), strict=True):
            assert ours.equal(theirs)
    assert by_batch.resized(by_batch.splits["test"].inputs).equal(at_once.splits["test"].inputs)


@pytest.mark.parametrize("size", [(32, 32), (10, 11), (300, 200)])
def test_an_image_does_not_depend_on_those_beside_it(size: tuple[int, int]) -> None:
    images = torch.randint(256, (50, 3, 9, 8), dtype=torch.uint8)
    alone = torch.cat([resize_images(image[None], size, CPU) for image in images])
    assert resize_images(images, size, CPU).equal(alone)


def test_large_sets_are_resized_by_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    num_bytes = 1797 * 32 * 32
    for limit, at in ((num_bytes, "loading"), (num_bytes - 1, "batch")):
        monkeypatch.setattr(memory, "LARGEST_RESIZED_SET", limit)
        assert prepared(digits, "auto", resize=32).choices["data.resize_at"] == at
    notes = prepared(digits, "auto", resize=32).notes
    assert notes == ["8×8 images resized to 32×32, a batch at a time: all take 0.0017 GiB (data.resize_at)"]
    explicit = prepared(digits, "loading", resize=32)
    assert "data.resize_at" not in explicit.choices
    assert explicit.splits["train"].inputs.shape[2:] == (32, 32)


@pytest.mark.parametrize(("name", "share"), [("free_memory", 4), ("available_memory", 2)])
def test_resized_images_take_no_more_memory_than_is_free(
    name: str, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    num_bytes = 1797 * 32 * 32
    for free, at in ((share * num_bytes, "loading"), (share * num_bytes - 1, "batch")):
        monkeypatch.setattr(memory, name, lambda *_, free=free: free)
        assert prepared(digits, "auto", resize=32).choices["data.resize_at"] == at


def test_what_is_not_resized_leaves_no_choice() -> None:
    assert "data.resize_at" not in prepared(digits, "auto").choices


def test_a_look_at_the_data_resizes_some_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is not kept; `dltool check` of AlexNet on MNIST resized 70,000 images before its one batch."""
    fitted_to: list[int] = []

    def counted(images: torch.Tensor, *rest: Any) -> Any:
        fitted_to.append(len(images))
        return pixel_scaling(images, *rest)

    monkeypatch.setattr(image_data, "fit_pixel_scaling", counted)
    monkeypatch.setattr(image_data, "STATISTICS_FROM", 100)
    for resize_at, approximate in (("batch", True), ("batch", False), ("loading", True)):
        data = ImageData(digits, resize=32, resize_at=resize_at)
        data.prepare(0, CPU, approximate=approximate)
        said = "scaled by 100 of the training images; a training counts all" in data.notes
        assert said == (resize_at == "batch" and approximate)
    assert fitted_to == [100, 1258, 1258]


def test_looks_need_the_final_size(configure: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGEST_RESIZED_SET", 0)
    data = StyleData(digits, styles=["thick"], resize=32)
    data.prepare(0, CPU)
    assert data.splits["train"].inputs.shape[2:] == (32, 32)
    with pytest.raises(ConfigError, match=r"data\.resize_at=batch does not apply: the styles are computed at loading"):
        configure("data=digit_styles", "data.resize_at=batch")


def test_a_classifier_that_judges_samples_is_the_same(configure: Callable[..., Config]) -> None:
    keys = set()
    for at in ("loading", "batch"):
        config = configure("model=dcgan", "data=digits", "data.resize=32", f"data.resize_at={at}")
        dataset = prepare(config).dataset
        keys.add(key_of(recipe_for(config["data"], dataset), dataset))
    assert len(keys) == 1


def test_trainings_are_the_same_to_the_bit(dltool_here: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    write_mnist(tmp_path / "data", 90, 30)
    words = [
        "model=lenet",
        "data=mnist",
        "data.root=data",
        "data.resize=40",
        "data.augment.shift=3",
        "logger.plots=false",
    ]
    words += ["trainer.epochs=2", "trainer.threads=1", "trainer.device=cpu", "data.batch_size=16"]
    weights = []
    for at in ("loading", "batch"):
        done = dltool_here("train", *words, f"data.resize_at={at}", f"run.dir={at}")
        assert done.returncode == 0, done.stderr
        weights.append(load(next((tmp_path / at / "checkpoints").glob("step-*"))).weights)
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    metrics = [(tmp_path / at / "metrics.jsonl").read_text() for at in ("loading", "batch")]
    assert metrics[0] == metrics[1]
    measured = [dltool_here("evaluate", at, "--json").stdout.split('"metrics"')[1] for at in ("loading", "batch")]
    assert measured[0] == measured[1]
