import math
from pathlib import Path

import numpy as np
from PIL import Image

from dltool.figures.points import point_scatter
from dltool.figures.saving import save_figure

RING = tuple((2 * math.cos(math.pi * k / 4), 2 * math.sin(math.pi * k / 4)) for k in range(8))


def test_points_have_the_same_axes_in_every_picture(tmp_path: Path) -> None:
    """A frame with points far away differs from one without them in its title alone."""
    points = np.array(RING).repeat(20, axis=0)
    far = np.concatenate([points, [[50.0, 50.0]]])
    save_figure(point_scatter(points, RING, 0.05, "epoch 1"), tmp_path / "near.png")
    save_figure(point_scatter(far, RING, 0.05, "epoch 1"), tmp_path / "far.png")
    near, with_far = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")) for name in ("near", "far"))
    assert near.shape == (660, 660, 3)
    assert (near != 255).any(axis=2).mean() > 0.005
    assert (near != with_far)[:30].any()  # "1 of 161 points outside"
    assert not (near != with_far)[30:].any()
