from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from dltool.figures.receptive_field import FieldPanel, receptive_field_panels
from dltool.figures.saving import save_figure


def test_a_panel_a_layer_with_its_square(tmp_path: Path) -> None:
    panels = [FieldPanel(f"卷积.{i}", "can see 3×3", np.random.rand(20, 24), (9, 11), (11, 13)) for i in range(6)]
    figure = receptive_field_panels(panels, "卷积 on 图")
    (square,) = figure.axes[0].patches
    assert (square.get_xy(), square.get_width(), square.get_height()) == ((10.5, 8.5), 3, 3)
    save_figure(figure, tmp_path / "中文" / "fields.png")
    assert Image.open(tmp_path / "中文" / "fields.png").size == (1404, 1116)


def test_show_draws_it_and_says_where_there_is_none(dltool_here: Callable) -> None:
    done = dltool_here("show", "model=lenet", "--receptive-field", "fields/lenet.png")
    assert done.returncode == 0, done.stderr
    assert "features.3    Conv2d     16×10×10            14×14     2" in done.stdout
    assert "receptive fields: fields/lenet.png" in done.stdout
    assert Path("fields/lenet.png").stat().st_size > 10_000
    done = dltool_here("show", "model=mlp", "data=iris", "--receptive-field", "none.png")
    assert (done.returncode, Path("none.png").exists()) == (2, False)
    assert "no layer of mlp has a receptive field smaller than the image" in done.stderr
    done = dltool_here("show", "--receptive-field", "field.txt")
    assert done.returncode == 2
    assert "field.txt is not an image file" in done.stderr
