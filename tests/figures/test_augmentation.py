import numpy as np

from dltool.figures.augmentation import square_grid


def test_grid_has_every_image_at_its_place():
    images = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1).repeat(16, 2).repeat(16, 3)
    grid = square_grid(images)
    assert grid.shape == (52, 52)
    assert [grid[1 + 17 * (i // 3) + 5, 1 + 17 * (i % 3) + 5] for i in range(5)] == [0, 1, 2, 3, 4]
    assert grid[0, 0] == grid[40, 45] == 128
