"""Labels of points that overlap neither each other nor the points, as far as there is room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dltool.figures.style import CAPTION_SIZE

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes

# Directions of a label from its point, the preferred ones first.
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
ON_LINES = {"facecolor": "white", "edgecolor": "none", "alpha": 0.6, "pad": 0.3}  # Behind a label.
DISTANCES = (6.0, 12.0, 24.0)  # Points.


def place_labels(
    axes: "Axes",
    places: np.ndarray,
    labels: Sequence[str],
    size: float = CAPTION_SIZE,
) -> None:
    """Write each label at that of some places around its point where it covers least; far ones get a thin line.

    Args:
        axes: Complete otherwise: its limits stay as they are.
        places: The points, `(N, 2)`.
        labels: One for each.
        size: Of the text, in points.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]  # Settles the layout.
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    scale = figure.dpi / 72
    points = axes.transData.transform(places)
    frame = np.array(axes.get_window_extent().extents)
    taken = [box_around(point, 3 * scale, 3 * scale) for point in points]
    for place, (label, point) in enumerate(zip(labels, points, strict=True)):
        text = axes.text(0, 0, label, fontsize=size)
        extent = text.get_window_extent()
        text.remove()
        others = np.array([box for i, box in enumerate(taken) if i != place]).reshape(-1, 4)
        offsets = [(distance, way) for distance in DISTANCES for way in DIRECTIONS]
        boxes = [label_box(point, way, distance * scale, extent.width, extent.height) for distance, way in offsets]
        costs = [
            4 * (covered(box, others) + outside(box, frame)) + scale * distance
            for box, (distance, _) in zip(boxes, offsets, strict=True)
        ]
        best = int(np.argmin(costs))
        distance, way = offsets[best]
        write_label(axes, label, places[place], (distance * way[0], distance * way[1]), size)
        taken.append(boxes[best])


def write_label(axes: "Axes", label: str, place: np.ndarray, offset: tuple[float, float], size: float) -> None:
    """Write one label at an offset in points, joined by a line if it is far."""
    across = {1: "left", 0: "center", -1: "right"}[int(np.sign(offset[0]))]
    up = {1: "bottom", 0: "center", -1: "top"}[int(np.sign(offset[1]))]
    line = {"arrowstyle": "-", "linewidth": 0.5, "color": "grey"} if max(map(abs, offset)) > DISTANCES[0] else None
    axes.annotate(
        label, (place[0], place[1]), offset, textcoords="offset points", ha=across, va=up, fontsize=size,
        arrowprops=line, annotation_clip=True, bbox=ON_LINES,
    )  # fmt: skip


def box_around(point: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """Left, bottom, right, top."""
    x, y = point
    return np.array([x - half_width, y - half_height, x + half_width, y + half_height])


def label_box(point: np.ndarray, way: tuple[int, int], distance: float, width: float, height: float) -> np.ndarray:
    """The box of a label in a direction from its point, in pixels."""
    x, y = point[0] + way[0] * (distance + width / 2), point[1] + way[1] * (distance + height / 2)
    return box_around(np.array([x, y]), width / 2, height / 2)


def covered(box: np.ndarray, others: np.ndarray) -> float:
    """The area that a box shares with others, `(N, 4)`."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return float((high - low).clip(min=0).prod(axis=1).sum())


def outside(box: np.ndarray, frame: np.ndarray) -> float:
    """The area of a box outside a frame."""
    size = box[2:] - box[:2]
    inside = (np.minimum(box[2:], frame[2:]) - np.maximum(box[:2], frame[:2])).clip(min=0)
    return float(size.prod() - inside.prod())
