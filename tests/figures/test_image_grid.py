import math
from pathlib import Path

import numpy as np
from PIL import Image

from dltool.figures.image_grid import image_grid


def test_grid_has_each_image_in_its_place_and_the_range_of_the_data(tmp_path: Path) -> None:
    images = np.linspace(-1, 1, 64, dtype=np.float32).reshape(64, 1, 1, 1).repeat(8, axis=2).repeat(8, axis=3)
    image_grid(images, (-1.0, 1.0)).save(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        assert image.mode == "L"
        pixels = np.asarray(image)
    cell = (len(pixels) - 5) // 8  # 80 pixels an image and a gap of 5 around each
    assert pixels.shape == (685, 685)
    middle = 5 + cell // 2
    levels = pixels[middle::cell, middle::cell]
    np.testing.assert_allclose(levels.ravel(), np.linspace(0, 255, 64), atol=1)


def test_color_images_and_values_outside_the_range(tmp_path: Path) -> None:
    images = np.zeros((4, 3, 32, 32))
    images[0, 0], images[1, 1], images[2, 2], images[3] = 7.0, math.nan, 1.0, -3.0
    image_grid(images, (0.0, 1.0)).save(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        width = image.size[0]
        colors = [image.getpixel((x * width // 4, y * width // 4)) for y in (1, 3) for x in (1, 3)]
    assert colors == [(255, 0, 0), (0, 0, 0), (0, 0, 255), (0, 0, 0)]
