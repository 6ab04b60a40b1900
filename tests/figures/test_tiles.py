import numpy as np
import pytest

from dltool.figures.tiles import tiled


def test_tiles_are_where_they_say() -> None:
    images = [np.full((2, 3, 3), value, np.float32) for value in (0.0, 0.25, 0.5, 0.75)]
    tiles = tiled([images[:3], images[3:]], (2, 3))
    assert (tiles.height, tiles.width) == (64, 96)
    for value, (row, column) in zip((0.0, 0.25, 0.5, 0.75), ((0, 0), (0, 1), (0, 2), (1, 0)), strict=True):
        top, left = tiles.corner(row, column)
        tile = tiles.pixels[top : top + 64, left : left + 96]
        assert (tile == value).all()
    assert (tiles.pixels[70:, 110:] == 1).all()
    photograph = tiled([[np.random.rand(224, 200, 3).astype(np.float32)]], (224, 200))
    assert (photograph.height, photograph.width) == (96, 86)
    assert photograph.pixels.mean() == pytest.approx(0.5, abs=0.02)
