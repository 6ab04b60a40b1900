from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from dltool.core.spec import DataSpec
from dltool.introspection.receptive_field import receptive_fields
from dltool.observers.receptive_field_plot import MOST_PANELS, chosen_layers, draw_receptive_fields


def test_the_first_and_the_last_of_many_layers_have_a_panel(tmp_path: Path) -> None:
    spec = DataSpec((3, 20, 24))
    model = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(20)], nn.MaxPool2d(2), nn.Flatten())
    layers = chosen_layers(model, receptive_fields(model, spec))
    assert len(layers) == MOST_PANELS
    assert (layers[0], layers[-2:]) == ("0", ["19", "20"])
    assert draw_receptive_fields(model, spec, torch.randn(2, 3, 20, 24), tmp_path / "中文" / "fields.png", "卷积 on 图")
    assert Image.open(tmp_path / "中文" / "fields.png").size == (1404, 1116)


def test_show_draws_it_and_says_where_there_is_none(dltool_here: Callable) -> None:
    done = dltool_here("show", "model=lenet", "--receptive-field", "fields/lenet.png")
    assert done.returncode == 0, done.stderr
    assert "features.3    Conv2d     16×10×10            14×14     2" in done.stdout
    assert "receptive fields: fields/lenet.png" in done.stdout
    assert Path("fields/lenet.png").stat().st_size > 10_000
    done = dltool_here("show", "model=mlp", "data=iris", "--receptive-field", "none.png")
    assert (done.returncode, Path("none.png").exists()) == (2, False)
    assert "no layer of mlp looks at parts of an image" in done.stderr
    done = dltool_here("show", "--receptive-field", "field.txt")
    assert done.returncode == 2
    assert "field.txt is no picture" in done.stderr
