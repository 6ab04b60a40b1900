"""The receptive fields of some layers of a network, theoretical and effective, side by side."""

import math

from torch import Tensor, nn

from dltool.core.spacing import evenly
from dltool.core.spec import DataSpec
from dltool.figures.receptive_field import FieldPanel
from dltool.figures.words import word
from dltool.introspection.effective_field import EffectiveField, effective_fields
from dltool.introspection.field import Field
from dltool.introspection.layers import has_weights
from dltool.introspection.receptive_field import receptive_fields

MOST_LAYERS = 6
SMALL_IMAGE = 100 * 100  # Pixels; fewer images are used if they are larger.


def seen_fields(model: nn.Module, spec: DataSpec, images: Tensor) -> list[FieldPanel]:
    """The fields of the unit in the middle of some layers; empty if no layer's field is a part of the image.

    Args:
        model: On any device except "meta".
        spec: The spec of its inputs.
        images: Model inputs `(B, C, H, W)`; at most 32 are used, or 4 if they are large.
    """
    seen = receptive_fields(model, spec)
    layers = chosen_layers(model, seen)
    if not layers:
        return []
    effective = effective_fields(model, layers, images[: 32 if math.prod(images.shape[2:]) <= SMALL_IMAGE else 4])
    kinds = {name: type(model.get_submodule(name)).__name__ for name in layers}
    return [field_panel(f"{name} ({kinds[name]})", seen[name], effective[name]) for name in layers]


def chosen_layers(model: nn.Module, seen: dict[str, Field]) -> list[str]:
    """Layers with weights whose fields are parts of the image: first, last and some between; then any final pooling."""
    local = [name for name, field in seen.items() if field.axes is not None]
    weighted = [name for name in local if has_weights(model.get_submodule(name))]
    layers = evenly(weighted, MOST_LAYERS)
    if layers and seen[local[-1]].size != seen[layers[-1]].size:  # Pooling, or the sum of the last block.
        widest = next(name for name in local if seen[name].size == seen[local[-1]].size)
        layers = [*evenly(weighted, MOST_LAYERS - 1), widest]
    return layers


def field_panel(name: str, field: Field, effective: EffectiveField) -> FieldPanel:
    """One layer's fields over the image."""
    assert field.axes is not None
    rows, columns = (
        (max(first, 0), min(first + axis.size, length) - 1)
        for axis, unit, length in zip(field.axes, effective.unit, effective.weight.shape, strict=True)
        for first in [axis.start + axis.jump * unit]
    )
    sizes = word("can see {size}, sees {seen:.3g}×{seen:.3g}", size=field.size, seen=effective.size)
    return FieldPanel(name, sizes, effective.weight.numpy(), rows, columns)
