"""An autoencoder's latent space: the codes of samples, and decoded codes around them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dltool.figures.drawing import legend_below, make_figure
from dltool.figures.style import (
    BLUE,
    DARK_GREY,
    IMAGES,
    PALE_GREY,
    class_style,
    styled,
)
from dltool.figures.tiles import colors, tiled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES_UP_TO = 20  # Classes with their own colour.
INCHES = 6.2  # Size of a panel.

Extent = tuple[float, float, float, float]  # Left, right, bottom, top.


class CodeCloud(NamedTuple):
    """Codes projected to a plane.

    Attributes:
        places: The coordinates of the samples' codes, `(N, 2)`, or `(N, 1)` for codes of one number.
        targets: The samples' classes, `(N,)`; unused without class names.
        draws: The same as `places` for draws of N(0, I).
        center: The coordinates of the code 0.
        radius: The radius of the circle that contains the share `inner` of the draws.
        inner: That share.
        labels: The labels of the axes.
    """

    places: np.ndarray
    targets: np.ndarray
    draws: np.ndarray
    center: tuple[float, ...]
    radius: float
    inner: float
    labels: Sequence[str]


class DecodedPanel(NamedTuple):
    """Decoded samples side by side.

    Attributes:
        title: Above them.
        rows: Rows of samples `(N, C, H, W)`, the upper one first.
        extent: Their range in the plane of the codes; None if they are not in it.
    """

    title: str
    rows: Sequence[np.ndarray]
    extent: Extent | None


def latent_plane(
    cloud: CodeCloud,
    panels: Sequence[DecodedPanel],
    class_names: Sequence[str],
    value_range: tuple[float, float] | None,
    title: str = "",
) -> "Figure":
    """Show why decoding a random code fails for an autoencoder and works for a VAE.

    Left: the codes of samples by class over draws of N(0, I). If the two clouds overlap, a draw is in a region that the
    decoder was trained on. Right: decoded draws, and decoded points of the plane.

    Args:
        cloud: The codes.
        panels: Decoded samples, if these are images.
        class_names: In the order of the classes; empty if there are none.
        value_range: The values of black and white in a sample; None for its minimum and maximum.
        title: Above the panels.
    """
    with styled(title, *class_names, style=IMAGES):
        figure = make_figure(INCHES * (1 + len(panels)) + 0.3, 6.9)
        axes = figure.subplots(1, 1 + len(panels), squeeze=False)[0]
        figure.suptitle(title)
        draw_codes(axes[0], cloud, class_names)
        for one, panel in zip(axes[1:], panels, strict=True):
            draw_decoded(one, panel, value_range, cloud.labels)
        return figure


def draw_codes(axes: "Axes", cloud: CodeCloud, class_names: Sequence[str]) -> None:
    """Draw a scatter plot of the samples' codes over draws of N(0, I)."""
    from matplotlib.patches import Circle

    xs, ys = coordinates(cloud.places)
    if class_names and len(class_names) <= CLASSES_UP_TO:
        for k, name in enumerate(class_names):
            of_class = cloud.targets == k
            color, marker = class_style(k)
            axes.plot(xs[of_class], ys[of_class], marker, color=color, markersize=3, label=name, zorder=2)
    else:
        axes.plot(xs, ys, ".", color=BLUE, markersize=4, label=word("samples"), zorder=2)
    drawn = coordinates(cloud.draws)
    axes.plot(*drawn, "o", color=PALE_GREY, markersize=3, zorder=1, label=word("draws of N(0, I)"))
    if cloud.draws.shape[1] > 1:
        x, y = cloud.center
        axes.add_patch(Circle((x, y), cloud.radius, fill=False, edgecolor=DARK_GREY, linestyle="--", zorder=3))
        axes.plot(
            [], [], "--", color=DARK_GREY, linewidth=1, label=word("{share:.0f} % of N(0, I)", share=100 * cloud.inner)
        )
    axes.set_title(word("codes"))
    label_axes(axes, cloud.labels)
    axes.set_aspect("equal", adjustable="datalim")
    legend_below(axes, 6, markerscale=1.8)


def draw_decoded(
    axes: "Axes", panel: DecodedPanel, value_range: tuple[float, float] | None, labels: Sequence[str]
) -> None:
    """Draw decoded samples side by side, with the plane's coordinates if they are in it."""
    images = np.concatenate(panel.rows)
    low, high = value_range or (images.min(), images.max())
    pictures = [list(colors(255 * ((row - low) / max(high - low, 1e-12)).clip(0, 1))) for row in panel.rows]
    tiles = tiled(pictures, (images.shape[2], images.shape[3]), gap=0.1)
    if panel.extent is None:
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
    else:
        axes.imshow(tiles.pixels, interpolation="nearest", extent=panel.extent, aspect="auto")
        axes.set_box_aspect(tiles.pixels.shape[0] / tiles.pixels.shape[1])
        label_axes(axes, labels)
    axes.set_title(panel.title)


def label_axes(axes: "Axes", labels: Sequence[str]) -> None:
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[-1] if len(labels) > 1 else "")


def coordinates(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and y of points `(N, 2)`; for points `(N, 1)` y is 0."""
    return places[:, 0], places[:, -1] if places.shape[1] > 1 else np.zeros(len(places))
