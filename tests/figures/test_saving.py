from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.core.safe_path import SafePath
from dltool.figures.drawing import make_figure
from dltool.figures.saving import save_figure, save_film, save_pictures


def test_what_can_be_drawn_is_and_the_rest_warns_or_goes(tmp_path: Path) -> None:
    def fails() -> None:
        raise OSError("disk full")

    for name in ("kept.png", "old.png"):
        (tmp_path / name).write_text("of an earlier end")
    pictures = {"kept.png": fails, "old.png": lambda: None, "new.png": lambda: make_figure(1, 1)}
    with pytest.warns(UserWarning, match=r"kept\.png could not be drawn: disk full"):
        assert save_pictures(pictures, SafePath(tmp_path)) == ["new.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.png", "new.png"]


def test_the_folder_is_made_and_the_suffix_decides(tmp_path: Path) -> None:
    save_figure(make_figure(1, 1), tmp_path / "a" / "b.svg")
    assert (tmp_path / "a" / "b.svg").read_text().startswith("<?xml")
    save_figure(make_figure(1, 1), SafePath(tmp_path) / "plots" / "b.png")
    assert Image.open(tmp_path / "plots" / "b.png").size == (120, 120)


def test_a_film_shows_pictures_of_one_size(tmp_path: Path) -> None:
    for name, size in (("1.png", 40), ("2.png", 30), ("3.png", 40)):
        Image.fromarray(np.random.default_rng(size).integers(0, 255, (size, size), np.uint8)).save(tmp_path / name)
    save_film([tmp_path / "1.png"], tmp_path / "one.gif")
    assert not (tmp_path / "one.gif").exists()
    save_film(sorted(tmp_path.glob("*.png")), tmp_path / "film.gif")
    film = Image.open(tmp_path / "film.gif")
    assert film.size == (20, 20)
