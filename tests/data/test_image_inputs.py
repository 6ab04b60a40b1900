"""Images in memory are prepared as the same images in files are, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dltool.core.errors import DataError
from dltool.data.image_preprocessing import ImagePreprocessing

SHAPE = (12, 10)
COLOUR = ImagePreprocessing(3, (8, 6), (8, 6), (0.0,) * 3, (1.0,) * 3, "crop")
GREY = ImagePreprocessing(1, (8, 6), (10, 8), (100.0,), (0.5,), "squash")
BOTH = pytest.mark.parametrize("preprocessing", [COLOUR, GREY], ids=["colour", "grey"])


def inputs_of(images: Any, preprocessing: ImagePreprocessing) -> Tensor:
    return torch.cat([batch for _, batch in preprocessing.read(images, 2)])


def noise(largest: int = 256, dtype: Any = np.uint8, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, largest, shape).astype(dtype)


def example(mode: str) -> Image.Image:
    """An image of the mode, of noise."""
    match mode:
        case "I;16":
            return Image.fromarray(noise(65536, np.uint16))
        case "I":
            return Image.fromarray(noise(65536, np.int32))
        case "LA" | "RGBA":
            image = Image.fromarray(noise()).convert(mode)
            image.putalpha(Image.fromarray(noise()[::-1].copy()))
            return image
    return Image.fromarray(noise(shape=(*SHAPE, 3))).convert(mode)


@BOTH
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "CMYK"])
def test_an_object_of_pil_gives_what_its_file_gives(
    mode: str, preprocessing: ImagePreprocessing, tmp_path: Path
) -> None:
    image = example(mode)
    path = tmp_path / ("a.tif" if mode in ("I", "CMYK") else "a.png")
    image.save(path)
    file = inputs_of(path, preprocessing)
    assert torch.equal(inputs_of(image, preprocessing), file)
    with Image.open(path) as opened:
        assert torch.equal(inputs_of(opened, preprocessing), file)
        assert torch.equal(inputs_of([opened, image, opened], preprocessing), file.expand(3, -1, -1, -1))


@BOTH
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_object_of_pil_is_turned_as_its_file_is(
    orientation: int, preprocessing: ImagePreprocessing, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    example("RGB").save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        turned = inputs_of(opened, preprocessing)
        assert opened.getexif()[0x0112] == orientation  # The object is left as it is.
    assert torch.equal(turned, inputs_of(tmp_path / "a.png", preprocessing))
    assert torch.equal(turned, inputs_of(example("RGB"), preprocessing)) == (orientation == 1)


@BOTH
def test_an_array_gives_what_the_file_of_its_pixels_gives(preprocessing: ImagePreprocessing, tmp_path: Path) -> None:
    for array in (noise(), noise(shape=(*SHAPE, 3)), noise(2, bool), noise(65536, np.uint16)):
        Image.fromarray(array).save(tmp_path / "a.png")
        file = inputs_of(tmp_path / "a.png", preprocessing)
        first = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
        for same in (array, first, first[None], torch.from_numpy(array), [array], torch.from_numpy(first[None].copy())):
            assert torch.equal(inputs_of(same, preprocessing), file)


def test_sixteen_bits_of_colour_become_eight() -> None:
    array = noise(65536, np.uint16, (8, 6, 3))
    expected = torch.from_numpy((array.astype(int) + 128) // 257).permute(2, 0, 1)
    assert torch.equal(inputs_of(array, COLOUR)[0], expected.float())


@pytest.mark.parametrize(
    ("array", "message", "hint"),
    [
        (noise(200, np.uint16), "array of uint16 from 0 to 199: 8 bits or 16", "astype('uint8')"),
        (noise(200, np.int64), "array of int64 from 0 to 199; images are uint8", "astype('uint8')"),
        (noise(60000, np.int32), "array of int32", "astype('uint16')"),
        (noise(200, np.int8).astype(np.int8), "array of int8", "astype('uint8')"),
        (noise() / np.float32(255), "array of float32 from 0 to 1; images are uint8", "(255 * array).round()"),
        (noise(256, np.float64), "array of float64 from 0 to 255", "array.round().astype('uint8')"),
        (noise(dtype=np.float16), "array of float16", "round()"),
        (noise().astype(complex), "array of complex128 (12, 10", "astype('uint8')"),
        (noise(shape=(8, 6, 4)), "shape (8, 6, 4) is none of", "PIL.Image.fromarray"),
        (noise(shape=(3, 6, 3)), "shape (3, 6, 3) is (C, H, W) or (H, W, C)", "PIL.Image.fromarray"),
        (noise(shape=(5,)), "shape (5,) is none of", "PIL.Image.fromarray"),
        (np.full(SHAPE, "a"), "array of <U1", "astype('uint8')"),
    ],
    ids=lambda value: "" if isinstance(value, str) else f"{value.dtype}{value.shape}",
)
def test_what_could_mean_several_things_is_refused(array: np.ndarray, message: str, hint: str) -> None:
    with pytest.raises(DataError) as error:
        inputs_of([noise(), array], GREY)
    assert error.value.message.startswith("image 1")
    assert message in error.value.message
    assert error.value.hint is not None
    assert hint in error.value.hint


def test_floats_of_pil_are_pixels_up_to_255() -> None:
    values = np.linspace(0, 255, 48, dtype=np.float32).reshape(8, 6)
    assert torch.equal(inputs_of(Image.fromarray(values), COLOUR)[0, 0], torch.from_numpy(values).floor())
    with pytest.raises(DataError, match="image 0: its pixels are floats from 0 to 1"):
        inputs_of(Image.fromarray(values / 255), COLOUR)


def test_a_truncated_object_is_refused(tmp_path: Path) -> None:
    example("RGB").save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-60])
    with Image.open(tmp_path / "a.png") as opened, pytest.raises(DataError, match="image 0: "):
        inputs_of(opened, GREY)


def test_objects_that_are_no_images() -> None:
    for nothing in (3, {"a": 1}, "no.png"):
        with pytest.raises(DataError):
            inputs_of(nothing, GREY)
    with pytest.raises(DataError, match="is not an array"):
        inputs_of([[[1, 2], [3]]], GREY)
