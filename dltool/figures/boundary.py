"""Predictions over the plane of two inputs, with the training points; a picture, or frames of a film."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from dltool.figures.diverging import HIGH, LOW, pale_diverging
from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import (
    BOXED,
    CAPTION_SIZE,
    MAPS,
    NUMBER_SIZE,
    OKABE_ITO,
    TILES_TITLE,
    class_style,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

NUM_DRAWN = 1000  # Points.
FILM_INCHES, FILM_DPI = 4.4, 110


class BoundaryView(NamedTuple):
    """Predictions at the nodes of a grid over the plane.

    Attributes:
        kind: What is predicted: the probability of the second of two classes, of each class, labels only, or a number.
        values: "binary" and "numbers" `(G, G)`, "classes" `(G, G, K)`, "labels" `(G, G)`; rows from the bottom.
        labels: The predicted class, `(G, G)`; None where there are only values.
        extent: Left, right, bottom, top of the grid, in the data's units.
        step: The step of the weights; None if the figure states it elsewhere.
    """

    kind: Literal["binary", "classes", "labels", "numbers"]
    values: np.ndarray
    labels: np.ndarray | None
    extent: tuple[float, float, float, float]
    step: int | None = None


class Points(NamedTuple):
    """Training points.

    Attributes:
        places: `(N, 2)`, in the data's units.
        targets: Classes or numbers, `(N,)`.
        class_names: Empty for numbers.
        names: Of the two inputs.
    """

    places: np.ndarray
    targets: np.ndarray
    class_names: Sequence[str]
    names: Sequence[str]


class UnitMaps(NamedTuple):
    """The outputs of a hidden layer's units over the plane.

    Attributes:
        layer: The layer's name.
        maps: `(units shown, G, G)`.
        num_units: Of the layer.
    """

    layer: str
    maps: np.ndarray
    num_units: int


def boundary_picture(
    view: BoundaryView, points: Points, units: Sequence[UnitMaps], *, title: str = "", note: str = ""
) -> "Figure":
    """Draw the predictions, and right of them the outputs of the first units of each hidden layer.

    Args:
        view: The predictions.
        points: The training points.
        units: The hidden layers.
        title: Above the panels.
        note: Small, below them.
    """
    with styled(title, note, *points.class_names, *points.names, style=BOXED):
        figure = make_figure(6.6 + (5.6 if units else 0), 6.4)
        entitle(figure, title, note)
        columns = figure.add_gridspec(1, 2, width_ratios=(6, 5)) if units else figure.add_gridspec(1, 1)
        axes = figure.add_subplot(columns[0])
        draw_view(axes, view, points)
        draw_points(axes, points)
        if units:
            rows = columns[1].subgridspec(len(units), 1)
            for place, layer in enumerate(units):
                draw_units(figure.add_subplot(rows[place]), layer)
        return figure


def draw_view(axes: "Axes", view: BoundaryView, points: Points) -> None:
    """Draw the predictions and the line where they change, and label the axes."""
    if view.kind == "binary":
        image = axes.imshow(view.values, cmap=pale_diverging(), vmin=0, vmax=1, **placed(view))
        axes.contour(view.values, [0.5], colors="black", linewidths=1.6, origin="lower", extent=view.extent)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.75, pad=0.02)
        bar.set_label(word("probability of {name} (line: ½)", name=points.class_names[1]))
    elif view.kind == "numbers":
        image = axes.imshow(view.values, cmap=MAPS, **placed(view))
        lines = axes.contour(view.values, colors="white", linewidths=0.8, origin="lower", extent=view.extent)
        axes.clabel(lines, fontsize=NUMBER_SIZE)
        axes.figure.colorbar(image, ax=axes, shrink=0.75, pad=0.02).set_label(word("prediction"))
    else:
        axes.imshow(class_colors(view, len(points.class_names)), **placed(view))
        draw_borders(axes, view, points)
    axes.set_title(titled(view), fontsize=TILES_TITLE)
    axes.set_xlabel(points.names[0])
    axes.set_ylabel(points.names[1])


def draw_borders(axes: "Axes", view: BoundaryView, points: Points) -> None:
    """Draw lines between the classes, whose colours are alike in grey."""
    labels = view.values if view.labels is None else view.labels
    for label in range(len(points.class_names) - 1):
        inside = (labels <= label).astype(float)
        if inside.min() < inside.max():
            axes.contour(inside, [0.5], colors="black", linewidths=1.2, origin="lower", extent=view.extent)


def titled(view: BoundaryView) -> str:
    if view.step is not None:
        return word("step {step:,}", step=view.step)
    if view.kind == "numbers":
        return word("prediction over the inputs")
    binary = view.kind == "binary"
    return word("predicted probability over the inputs") if binary else word("predicted class over the inputs")


def placed(view: BoundaryView) -> dict[str, Any]:
    return {"origin": "lower", "extent": view.extent, "aspect": "auto", "interpolation": "bilinear"}


def class_colors(view: BoundaryView, num_classes: int) -> np.ndarray:
    """Each node in the colour of its class, the paler the less likely the class; `(G, G, 3)`."""
    from matplotlib.colors import to_rgb

    labels = (view.values if view.labels is None else view.labels).astype(int)
    palette = np.array([to_rgb(color) for color in ((LOW, HIGH) if num_classes == 2 else OKABE_ITO)])
    strength = np.full(labels.shape, 0.5)
    if view.kind == "classes":
        likely = view.values.max(axis=2)
        strength = 0.1 + 0.5 * (likely - 1 / view.values.shape[2]) / (1 - 1 / view.values.shape[2])
    chosen = palette[labels % len(palette)]
    return 1 - strength[..., None] * (1 - chosen)


def draw_points(axes: "Axes", points: Points, *, legend: bool = True) -> None:
    """Draw the training points: each class with its own colour and marker, numbers in the colours of the map."""
    places, targets = points.places[:NUM_DRAWN], points.targets[:NUM_DRAWN]
    if not points.class_names:
        axes.scatter(places[:, 0], places[:, 1], c=targets, cmap=MAPS, s=16, edgecolors="white", linewidths=0.5)
        return
    binary = len(points.class_names) == 2
    for label, name in enumerate(points.class_names):
        chosen = places[targets == label]
        color, marker = class_style(label)
        color, marker = ((LOW, HIGH)[label], "o^"[label]) if binary else (color, marker)
        x, y = chosen.T
        axes.scatter(x, y, s=18, color=color, marker=marker, edgecolors="white", linewidths=0.4, label=name)
    if legend and len(points.class_names) <= 8:
        axes.legend(loc="upper right", fontsize=CAPTION_SIZE, framealpha=0.85, frameon=True)


def draw_units(axes: "Axes", layer: UnitMaps) -> None:
    """Draw the maps of a layer's units side by side in two rows, each with its own scale from low (dark) to high."""
    from matplotlib import colormaps

    count = len(layer.maps)
    columns = -(-count // 2)
    size = layer.maps.shape[1]
    gap = max(size // 16, 1)
    rows = 2 if count > 1 else 1
    sheet = np.ones((rows * (size + gap) - gap, columns * (size + gap) - gap, 3))
    for place, unit in enumerate(layer.maps):
        low, high = unit.min(), unit.max()
        shade = colormaps[MAPS]((unit - low) / (high - low) if high > low else np.zeros_like(unit))[..., :3]
        top, left = place // columns * (size + gap), place % columns * (size + gap)
        sheet[top : top + size, left : left + size] = shade[::-1]
    axes.imshow(sheet)
    axes.set_axis_off()
    facts = {"layer": layer.layer, "shown": count, "all": layer.num_units}
    some, every = "{layer}: outputs of {shown} of {all} units", "{layer}: outputs of {all} units"
    axes.set_title(word(some if count < layer.num_units else every, **facts), fontsize=CAPTION_SIZE)


def boundary_film(views: Iterable[BoundaryView], points: Points, *, title: str = "") -> "list[Image]":
    """Draw each view as a frame with the training points; all frames have the same size."""
    frames = []
    with styled(title, *points.class_names, *points.names, style=BOXED):
        figure = make_figure(FILM_INCHES, FILM_INCHES, dpi=FILM_DPI)
        axes = figure.add_axes((0.16, 0.12, 0.81, 0.75))
        figure.set_layout_engine("none")
        figure.suptitle(title, fontsize=TILES_TITLE, y=0.99)
        for view in views:
            axes.clear()
            draw_frame(axes, view, points)
            frames.append(rendered(figure))
    return frames


def draw_frame(axes: "Axes", view: BoundaryView, points: Points) -> None:
    """A view without a colour bar, with its step as the title."""
    if view.kind == "binary":
        axes.imshow(view.values, cmap=pale_diverging(), vmin=0, vmax=1, **placed(view))
        axes.contour(view.values, [0.5], colors="black", linewidths=1.6, origin="lower", extent=view.extent)
    elif view.kind == "numbers":
        axes.imshow(view.values, cmap=MAPS, **placed(view))
    else:
        axes.imshow(class_colors(view, len(points.class_names)), **placed(view))
        draw_borders(axes, view, points)
    draw_points(axes, points, legend=False)
    axes.set_title(titled(view), fontsize=TILES_TITLE, loc="left")
    axes.set_xlabel(points.names[0], labelpad=1)
    axes.set_ylabel(points.names[1], labelpad=1)


def rendered(figure: "Figure") -> "Image":
    """A figure as an RGB image."""
    from PIL import Image

    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]
