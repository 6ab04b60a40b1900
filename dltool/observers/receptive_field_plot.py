"""A picture of what the units of a network look at: the pixels that they could see, and those that matter."""

import math
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.figures.drawing import STYLE, Target, make_figure, num_panel_columns, save_figure
from dltool.figures.fonts import fonts_for
from dltool.introspection.effective_field import EffectiveField, effective_fields
from dltool.introspection.field import Field
from dltool.introspection.layers import evenly, has_weights
from dltool.introspection.receptive_field import receptive_fields

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.axes import Axes

MOST_PANELS = 6
GAMMA = 0.5  # Of the colors, so that one sees how far the little goes.
SMALL_IMAGE = 100 * 100  # Pixels; of larger ones fewer are looked at.
FIELD_COLOR = "#ff7f0e"


def draw_receptive_fields(model: nn.Module, spec: DataSpec, images: Tensor, path: Target, title: str = "") -> bool:
    """Draw the effective receptive field of some layers, with a square around the theoretical one.

    Args:
        model: On any device but "meta".
        spec: Of its inputs.
        images: Some as the model takes them, `(B, C, H, W)`; at most 32 are looked at, of large ones 4.
        path: Of the PNG; its folder is made.
        title: Above the panels.

    Returns:
        False where no layer looks at a part of the image, so that there is nothing to draw.
    """
    import matplotlib

    seen = receptive_fields(model, spec)
    layers = chosen_layers(model, seen)
    if not layers:
        return False
    fields = effective_fields(model, layers, images[: 32 if math.prod(images.shape[2:]) <= SMALL_IMAGE else 4])
    num_columns = num_panel_columns(len(layers))
    num_rows = math.ceil(len(layers) / num_columns)
    with fonts_for(title, *layers), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(0.6 + 3.7 * num_columns, 1.3 + 4.0 * num_rows)
        figure.suptitle(title, fontsize=14)
        figure.supxlabel(
            "how much each pixel matters to the unit in the middle of a layer; square: all that it can see",
            fontsize=10,
            color="#808080",
        )
        for place, name in enumerate(layers, start=1):
            axes = figure.add_subplot(num_rows, num_columns, place)
            kind = type(model.get_submodule(name)).__name__
            draw_field(axes, fields[name], seen[name], f"{name} ({kind})")
        save_figure(figure, path)
    return True


def chosen_layers(model: nn.Module, seen: dict[str, Field]) -> list[str]:
    """Layers with weights that look at parts of the image, the first, the last and some between; and what ends them."""
    local = [name for name, field in seen.items() if field.axes is not None]
    weighted = [name for name in local if has_weights(model.get_submodule(name))]
    layers = evenly(weighted, MOST_PANELS)
    if layers and seen[local[-1]].size != seen[layers[-1]].size:  # Pooling, or the sum of the last block.
        widest = next(name for name in local if seen[name].size == seen[local[-1]].size)
        layers = [*evenly(weighted, MOST_PANELS - 1), widest]
    return layers


def draw_field(axes: "Axes", effective: EffectiveField, field: Field, name: str) -> None:
    """Draw one layer's field over the image's pixels."""
    from matplotlib.colors import PowerNorm
    from matplotlib.patches import Rectangle

    height, width = effective.weight.shape
    axes.imshow(effective.weight.numpy(), cmap="magma", norm=PowerNorm(GAMMA, 0, 1), interpolation="nearest")
    assert field.axes is not None
    (top, bottom), (left, right) = (
        (max(first, 0) - 0.5, min(first + axis.size, length) - 0.5)  # A pixel is drawn around its number.
        for axis, unit, length in zip(field.axes, effective.unit, (height, width), strict=True)
        for first in [axis.start + axis.jump * unit]
    )
    square = Rectangle((left, top), right - left, bottom - top, fill=False, color=FIELD_COLOR, linewidth=2)
    square.set_clip_on(False)
    axes.add_patch(square)
    axes.set_title(f"{name}\ncan see {field.size}, sees {effective.size:.3g}×{effective.size:.3g}", fontsize=11)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
