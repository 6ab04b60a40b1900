"""Images that are unlike the training images are named, with the option that makes them alike."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.data.arrays import RawData, Split
from dltool.data.builtin import digits
from dltool.data.fitted import from_json, to_json
from dltool.data.image_data import ImageData
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.image_statistics import ImageStatistics, appearance


def crosses(count: int, seed: int = 0, size: int = 28) -> np.ndarray:
    """Light drawings whose longer side is 20/28 of a dark frame, as MNIST's digits are: uint8 `(N, size, size)`."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, size, size), np.uint8)
    low, high = round(size * 4 / 28), round(size * 24 / 28)
    for image in images:
        width, half = rng.integers(2, 4) * size // 28, rng.integers(3, 9) * size // 28
        middle = size // 2
        image[low:high, middle - width // 2 : middle - width // 2 + width] = 255
        image[middle - 1 : middle + 1, middle - half : middle + half] = rng.integers(200, 256)
    return images


def prepared(images: np.ndarray, **fields: Any) -> ImagePreprocessing:
    """The preprocessing of training on grey `(N, H, W)` or coloured `(N, 3, H, W)` images."""
    pixels = torch.from_numpy(images if images.ndim == 4 else images[:, None])
    train = Split(pixels, torch.arange(len(pixels)) % 2)
    data = ImageData(lambda _: RawData(train, None, None, "classes", ("a", "b")), test_fraction=0.0, **fields)
    data.prepare(0, torch.device("cpu"), {"min_size": 32, "native_size": 32})
    return data.preprocessing


@pytest.fixture(scope="module")
def of_drawings() -> ImagePreprocessing:
    return prepared(crosses(200))


@pytest.fixture(scope="module")
def of_photos() -> ImagePreprocessing:
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 256, (3, 4, 4)) * rng.uniform(0.3, 1) for _ in range(200)]
    return prepared(np.stack([np.kron(image, np.ones((1, 8, 8))) for image in coarse]).astype(np.uint8))


def warnings_about(inputs: Any, preprocessing: ImagePreprocessing) -> list[str]:
    said: list[str] = []
    assert list(preprocessing.read_and_compare(inputs, 3, said.append))
    return said


def on_paper(image: np.ndarray, scale: int = 4, shade: float = 200) -> Image.Image:
    """A light drawing as a dark one, at the lower right of paper with a shadow."""
    large = np.kron(image, np.ones((scale, scale))) / 255
    height, width = 3 * large.shape[0], 2 * large.shape[1]
    ink = np.zeros((height, width))
    ink[-large.shape[0] - 9 : -9, -large.shape[1] - 5 : -5] = large
    paper = shade * np.linspace(0.8, 1.1, width)[None].repeat(height, 0)
    return Image.fromarray((paper * (1 - 0.8 * ink)).astype(np.uint8))


def test_held_out_images_are_like_the_training_images(
    of_drawings: ImagePreprocessing, of_photos: ImagePreprocessing
) -> None:
    assert warnings_about(crosses(300, seed=1)[:, None], of_drawings) == []
    rng = np.random.default_rng(1)
    for _ in range(20):
        photo = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        assert warnings_about(Image.fromarray(photo), of_photos) == []


def test_inverted_images_need_invert(of_drawings: ImagePreprocessing, tmp_path: Path) -> None:
    dark = 255 - crosses(1)[0]
    Image.fromarray(dark).save(tmp_path / "seven.png")
    expected = "is dark on light; the training images are light on dark: add --invert"
    assert warnings_about(dark, of_drawings) == [f"image 0 {expected}"]
    assert warnings_about(tmp_path / "seven.png", of_drawings) == [f"{tmp_path / 'seven.png'} {expected}"]
    inverting = of_drawings.adjusted(invert=True, fit=None)
    assert warnings_about(dark, inverting) == []
    assert warnings_about(255 - dark, inverting)[0].endswith(": leave out --invert")
    same = [next(iter(p.read(image, 1)))[1] for p, image in ((inverting, dark), (of_drawings, 255 - dark))]
    assert torch.equal(*same)


def test_drawings_on_paper_need_both_options(of_drawings: ImagePreprocessing) -> None:
    images = [on_paper(image) for image in crosses(5, seed=2)]
    said = warnings_about(images, of_drawings)
    assert all(text.endswith("add --invert --fit digit") for text in said)
    assert warnings_about(images, of_drawings.adjusted(invert=True, fit="digit")) == []
    assert warnings_about(images[0], of_drawings.adjusted(invert=True, fit=None))[0].endswith(": add --fit digit")


def test_fit_digit_places_as_the_training_images_are_placed(of_drawings: ImagePreprocessing) -> None:
    image = crosses(1, seed=3)[0]
    placed = of_drawings.adjusted(invert=True, fit="digit")
    difference = next(iter(placed.read(on_paper(image), 1)))[1] - next(iter(of_drawings.read(image, 1)))[1]
    deviation = next(iter(of_drawings.read(image, 1)))[1].std()
    assert difference.abs().mean() < 0.25 * deviation


def test_images_with_one_difference_are_one_warning(of_drawings: ImagePreprocessing) -> None:
    batch = np.concatenate([crosses(6), 255 - crosses(6)])
    expected = "6 of 12 images (6, 7, 8, …) are dark on light; the training images are light on dark: add --invert"
    assert warnings_about(batch[:, None], of_drawings) == [expected]


def test_other_differences(of_drawings: ImagePreprocessing, of_photos: ImagePreprocessing) -> None:
    faint = warnings_about((crosses(1)[0] * 0.3).astype(np.uint8), of_drawings)
    assert faint == ["image 0 is fainter than the training images: add --fit digit"]
    shifted = warnings_about(np.roll(crosses(1)[0], 6, 1), of_drawings)
    assert shifted == ["image 0 is farther off-centre than the training images: add --fit digit"]
    small = warnings_about(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8), of_photos)
    assert small == ["image 0 is less than half as large as the smallest training image: predictions may be wrong"]
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 8, 3), dtype=np.uint8)).resize((200, 64), 0)
    said = warnings_about(wide, of_photos)
    assert said == [
        "image 0 is of another shape than the training images, and made to fit by changing the aspect ratio: "
        "add --fit crop"
    ]
    assert warnings_about(wide, of_photos.adjusted(invert=False, fit="crop")) == []


def test_the_first_frame_of_an_animation_is_read_and_said(of_drawings: ImagePreprocessing, tmp_path: Path) -> None:
    frames = [Image.fromarray(image) for image in crosses(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("L", (28, 28)), frames[2]])
    said = warnings_about(tmp_path / "a.gif", of_drawings)
    assert said == [f"{tmp_path / 'a.gif'} has several frames: only the first is read"]


def test_statistics_are_saved_and_older_runs_have_none() -> None:
    data = ImageData(digits)
    data.prepare(0, torch.device("cpu"))
    saved = json.loads(json.dumps(to_json(data.preprocessing, data.spec)))
    loaded = from_json(saved, "preprocessing.json").preprocessing
    assert loaded == data.preprocessing
    assert isinstance(loaded, ImagePreprocessing)
    assert loaded.statistics is not None
    assert loaded.statistics.has_drawings
    del saved["preprocessing"]["statistics"]
    old = from_json(saved, "preprocessing.json").preprocessing
    assert isinstance(old, ImagePreprocessing)
    assert old == replace(data.preprocessing, statistics=None)
    assert warnings_about(np.full((8, 8), 255, np.uint8), old) == []


def test_statistics_do_not_depend_on_when_images_are_resized() -> None:
    once, each = (prepared(crosses(200), resize_at=place).statistics for place in ("loading", "batch"))
    assert once == each


@pytest.mark.parametrize("pixel", [0, 255])
def test_few_or_even_images(pixel: int) -> None:
    images = torch.full((30, 1, 9, 9), pixel, dtype=torch.uint8)
    assert ImageStatistics.of(images[:19], frozenset()) is None
    assert ImageStatistics.of(images.expand(-1, 2, -1, -1), frozenset()) is None
    found = ImageStatistics.of(images, frozenset())
    assert found is not None
    assert not torch.stack(found.outside(appearance(images))).any()


@pytest.mark.parametrize("margin", [0, 16, 48])
def test_the_suggested_options_are_no_worse_than_invert_alone(margin: int) -> None:
    """For 8 by 8 digits that fill their frame, on grey paper with a margin; the model is the nearest neighbour."""
    raw = digits(torch.Generator())
    held_out = raw.train.inputs[-100:, 0].numpy()
    data = prepared(raw.train.inputs[:-100, 0].numpy(), scaling="none", val_fraction=0.0)
    known = data(raw.train.inputs[:-100]).flatten(1)
    papers = []
    for digit in held_out:
        large = np.asarray(Image.fromarray(digit).resize((96, 96), Image.Resampling.BILINEAR)) / 255
        papers.append(Image.fromarray((230 - 200 * np.pad(large, margin)).astype(np.uint8)))
    chosen = []
    for paper in papers:
        said = " ".join(warnings_about(paper, data))
        chosen.append(data.adjusted(invert="--invert" in said, fit="digit" if "--fit digit" in said else None))
    inverting = [data.adjusted(invert=True, fit=None)] * len(papers)

    def accuracy(used: list[ImagePreprocessing]) -> float:
        inputs = torch.cat([next(iter(one.read(paper, 1)))[1] for one, paper in zip(used, papers, strict=True)])
        nearest = torch.cdist(inputs.flatten(1), known).argmin(1)
        return (raw.train.targets[nearest] == raw.train.targets[-100:]).double().mean().item()

    assert accuracy(chosen) >= accuracy(inverting)
    assert accuracy(chosen) > 0.6
