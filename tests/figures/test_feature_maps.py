from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.figures.feature_maps import LayerMaps, feature_map_rows
from dltool.figures.saving import save_figure


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 224, 200), (2, 16, 40)])
def test_maps_of_all_sizes(shape: tuple[int, int, int], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    layers = [LayerMaps(f"features.{i}", "Conv2d", draw.normal(size=(12, *shape[1:]))) for i in range(12)]
    layers[0].maps[3] = 1.0  # The same everywhere.
    figure = feature_map_rows(255 * draw.random(shape), layers, "a network on $data", "a cat")
    save_figure(figure, tmp_path / "maps.png")
    assert (tmp_path / "maps.png").stat().st_size > 5000
    assert max(Image.open(tmp_path / "maps.png").size) < 2500
