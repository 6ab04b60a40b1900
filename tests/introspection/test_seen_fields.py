import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.introspection.receptive_field import receptive_fields
from dltool.introspection.seen_fields import MOST_LAYERS, chosen_layers, seen_fields

SPEC = DataSpec((3, 20, 24))


def test_the_first_and_the_last_of_many_layers_have_a_panel() -> None:
    model = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(20)], nn.MaxPool2d(2), nn.Flatten())
    layers = chosen_layers(model, receptive_fields(model, SPEC))
    assert len(layers) == MOST_LAYERS
    assert (layers[0], layers[-2:]) == ("0", ["19", "20"])
    panels = seen_fields(model, SPEC, torch.randn(2, 3, 20, 24))
    assert [panel.layer for panel in panels[-2:]] == ["19 (Conv2d)", "20 (MaxPool2d)"]
    assert panels[0].sizes.startswith("can see 3×3, sees ")
    assert (panels[0].rows, panels[0].columns) == ((9, 11), (11, 13))  # Around the unit (10, 12).
    assert (panels[-1].rows, panels[-1].columns) == ((0, 19), (0, 23))  # Cut to the image.


def test_none_looks_at_a_part_of_the_image() -> None:
    assert seen_fields(nn.Sequential(nn.Flatten(), nn.Linear(1440, 2)), SPEC, torch.randn(2, 3, 20, 24)) == []
