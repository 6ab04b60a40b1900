from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.core.errors import ConfigError
from dltool.figures.image_grid import image_grid
from dltool.inference.run import Run
from dltool.inference.sample_generator import SampleGenerator, write_samples

Load = Callable[..., Run]


def test_a_gan_draws_a_picture_of_points(load: Load, tmp_path: Path) -> None:
    run = load("gan")
    samples = SampleGenerator(run).samples(10)
    write_samples(run, samples, tmp_path / "points.png")
    assert (tmp_path / "points.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_samples(run, samples, tmp_path / "points.txt")
    with pytest.raises(ConfigError, match="are not images"):  # A folder is for images.
        write_samples(run, samples, tmp_path)


def test_a_classifier_makes_none(load: Load) -> None:
    with pytest.raises(ConfigError, match="makes no samples"):
        SampleGenerator(load("iris"))


def test_a_grid_of_images_has_no_empty_row(tmp_path: Path) -> None:
    image_grid(np.zeros((20, 1, 8, 8), dtype=np.float32), (-1, 1)).save(tmp_path / "grid.png")
    width, height = Image.open(tmp_path / "grid.png").size
    assert height / width == pytest.approx(4 / 5, abs=0.01)
