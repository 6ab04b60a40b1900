"""Every format, mode and orientation of an image file becomes the same upright pixels."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from dltool.data.decoding import decode, decode_object, explain, fitted, to_pixels, upright_size

RAMP = np.linspace(0, 255, 8 * 12).reshape(8, 12).astype(np.uint8)


def read(path, channels=3, size=(8, 12), fit="crop"):
    return decode(str(path), channels, size, fit)


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "webp", "jpg"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_formats_and_modes(tmp_path, suffix, mode):
    image = Image.fromarray(RAMP).convert(mode)
    if suffix == "jpg" and mode in ("RGBA", "P"):
        pytest.skip("JPEG has no such mode")
    path = tmp_path / f"图.{suffix}"
    image.save(path, **({"lossless": True} if suffix == "webp" else {"quality": 100} if suffix == "jpg" else {}))
    # A palette is coarse, and a GIF has one.
    tolerance = 30 if mode == "P" else 4 if suffix == "jpg" else 0 if mode == "L" or suffix != "gif" else 8
    for channels in (1, 3):
        pixels = read(path, channels)
        assert pixels.dtype == np.uint8
        assert pixels.shape == (channels, 8, 12)
        assert np.abs(pixels.astype(int) - RAMP).max() <= tolerance


def test_sixteen_bits_keep_their_range(tmp_path):
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "16.png")
    assert (read(tmp_path / "16.png", 1)[0] == RAMP).all()


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.zeros((8, 12, 4), dtype=np.uint8)
    pixels[:, :6, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for channels in (1, 3):
        image = read(tmp_path / "a.png", channels)
        assert (image[:, :, :6] == 0).all()
        assert (image[:, :, 6:] == 255).all()
    palette = Image.fromarray((RAMP > 127).astype(np.uint8), mode=None).convert("P")
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.info["transparency"] = 1
    palette.save(tmp_path / "p.gif", transparency=1)
    image = read(tmp_path / "p.gif")
    assert set(image.flatten()) == {0, 255}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    image = Image.fromarray(np.kron(RAMP, np.ones((4, 4), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "o.jpg", exif=exif, quality=100)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # Orientation to PIL's transpose.
    upright = image.transpose(undo[orientation]) if orientation > 1 else image
    pixels = read(tmp_path / "o.jpg", 1, (upright.height, upright.width))
    assert np.abs(pixels[0].astype(int) - np.asarray(upright)).max() <= 6


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_image(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"o.{suffix}"
    Image.new("L", (12, 8)).save(path, exif=exif)
    with Image.open(path) as image:
        assert upright_size(image) == ((12, 8) if orientation >= 5 else (8, 12))
        assert upright_size(image) == ImageOps.exif_transpose(image).size[::-1]


def in_mode(mode):
    """An 8×12 image whose pixels all differ as much as the mode allows."""
    values = np.linspace(0, 1, 8 * 12).reshape(8, 12)
    if mode in ("I;16", "I", "F"):
        dtype, largest = {"I;16": (np.uint16, 65535), "I": (np.int32, 65535), "F": (np.float32, 255)}[mode]
        return Image.fromarray((values * largest).astype(dtype))
    if mode in ("LA", "RGBA"):
        image = Image.fromarray((values * 255).astype(np.uint8)).convert(mode)
        image.putalpha(Image.fromarray((255 - values.T.reshape(8, 12) * 255).astype(np.uint8)))
        return image
    return Image.fromarray((values * 255).astype(np.uint8)).convert(mode)


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", MODES)
def test_an_image_in_memory_gives_the_pixels_of_its_file(tmp_path, mode, channels):
    image = in_mode(mode)
    assert image.mode == mode
    path = tmp_path / ("a.tif" if mode in ("I", "F", "CMYK") else "a.png")
    image.save(path)
    for size, fit in (((8, 12), "crop"), ((5, 6), "crop"), ((5, 6), "squash")):
        pixels = to_pixels(image, channels, size, fit)
        assert (pixels == decode(str(path), channels, size, fit)).all()
    assert image.mode == mode  # The user's object stays as it is.
    if mode not in ("1", "CMYK"):
        assert len(np.unique(to_pixels(image, 1, (8, 12), "crop"))) > 40


@pytest.mark.parametrize("channels", [1, 3])
def test_rare_transparency_is_that_of_the_file(tmp_path, channels):
    palette = Image.new("P", (12, 8))
    palette.putpalette([0, 0, 0, 0, 255, 0, 0, 255], "RGBA")  # Transparent only by the palette itself.
    palette.save(tmp_path / "p.png")
    assert (to_pixels(palette, channels, (8, 12), "crop") == 255).all()
    assert (read(tmp_path / "p.png", channels) == 255).all()
    grey = in_mode("LA")
    grey.save(tmp_path / "la.png")
    premultiplied = to_pixels(grey.convert("La"), channels, (8, 12), "crop").astype(int)
    assert np.abs(premultiplied - read(tmp_path / "la.png", channels)).max() <= 2


@pytest.mark.parametrize("size", [(1600, 1200), (40, 30)])
def test_a_jpeg_in_memory_gives_the_pixels_of_its_file(tmp_path, size):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise).resize(size).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        for _ in range(2):
            pixels = decode_object(image, 3, (28, 28), "crop")
            assert (pixels == read(tmp_path / "a.jpg", size=(28, 28))).all()
        assert image.size == size  # The user's object stays as it is.
        assert image.convert("RGB").size == size
        assert np.abs(decode_object(image, 3, (28, 28), "crop").astype(int) - pixels).max() <= 2


@pytest.mark.parametrize("largest", [65536, 2**20])
def test_integers_beyond_sixteen_bits_are_refused(largest):
    values = np.linspace(0, largest, 96).reshape(8, 12).astype(np.int32)
    with pytest.raises(ValueError, match="its pixels are integers from 0 to"):
        to_pixels(Image.fromarray(values), 1, (8, 12), "crop")


@pytest.mark.parametrize("largest", [1.0, 0.5, 300.0, float("nan")])
def test_floats_of_an_unknown_range_are_refused(largest):
    values = np.linspace(0, largest, 96, dtype=np.float32).reshape(8, 12)
    with pytest.raises(ValueError, match="its pixels are floats from"):
        to_pixels(Image.fromarray(values), 1, (8, 12), "crop")


def test_crop_takes_the_middle_and_squash_all(tmp_path):
    image = np.zeros((10, 30, 3), dtype=np.uint8)
    image[:, 10:20] = 200
    Image.fromarray(image).save(tmp_path / "wide.png")
    assert (read(tmp_path / "wide.png", size=(10, 10)) == 200).all()
    squashed = read(tmp_path / "wide.png", size=(10, 10), fit="squash")
    assert squashed[0, 5, 0] == squashed[0, 5, 9] == 0
    assert squashed[0, 5, 5] == 200
    half = read(tmp_path / "wide.png", size=(5, 10))[0, 2]  # The middle 20 columns, halved.
    assert half[0] == 0
    assert half[5] == 200


@pytest.mark.parametrize("size", [(225, 333), (333, 225), (123, 123)])
def test_crop_keeps_within_an_image_where_its_scale_is_rounded_up(size):
    assert fitted(Image.new("L", size), (224, 224), "crop").size == (224, 224)


def test_a_photo_read_at_a_fraction_of_its_size_looks_the_same(tmp_path):
    y, x = np.mgrid[0:600, 0:900]
    waves = (127 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)).astype(np.uint8)
    photo = Image.fromarray(np.stack([waves, waves.T[:600, :600].repeat(2, 1)[:, :900], 255 - waves], 2))
    photo.save(tmp_path / "photo.jpg", quality=95)
    pixels = read(tmp_path / "photo.jpg", size=(32, 32))
    reference = photo.crop((150, 0, 750, 600)).resize((32, 32), Image.Resampling.BILINEAR)
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - np.asarray(reference)).max() <= 4


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "it is empty, 0 bytes"), (b"\xff\xd8\xff no", "not an image"), (None, "truncated")]
)
def test_damage_is_explained(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    with pytest.raises(Exception, match=r".") as caught:
        read(path, size=(64, 64))
    assert reason in explain(str(path), caught.value)
