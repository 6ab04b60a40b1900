"""A surface over two parameters with the paths of optimizers: contours, three dimensions, the distance left."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from dltool.figures.drawing import entitle, label_decades, make_figure
from dltool.figures.style import GREY, OKABE_ITO, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "os^DvPX*"
DASHES = ("-", "--", "-.", ":")
GRID = 101
NUM_ARROWS = 9  # Along each axis.
NUM_LEVELS = 14
EDGE = 3.6  # Width of the white edge of a path, in points.
# The distance that is drawn where there are no, one or several minima.
DISTANCES = (
    "distance from the lowest place ‖θ - θ*‖",
    "distance from the minimum ‖θ - θ*‖",
    "distance from the minimum nearest to the end ‖θ - θ*‖",
)
Corners = tuple[np.ndarray, np.ndarray]


class Surface(Protocol):
    """A function of two parameters; see dltool.diagnostics.quadratic and loss_surface."""

    @property
    def names(self) -> tuple[str, str]: ...

    @property
    def quantity(self) -> str: ...

    def __call__(self, theta: np.ndarray) -> np.ndarray: ...

    def gradient(self, theta: np.ndarray) -> np.ndarray: ...

    @property
    def minimum(self) -> np.ndarray: ...

    @property
    def minima(self) -> np.ndarray: ...

    def excess(self, theta: np.ndarray) -> np.ndarray: ...


class Path(NamedTuple):
    """The parameters of one training.

    Attributes:
        label: The optimizer and its rate.
        steps: `(S,)`.
        places: `(S, 2)`.
    """

    label: str
    steps: np.ndarray
    places: np.ndarray


def window(surface: Surface, paths: Sequence[Path]) -> Corners:
    """The lower and the upper corner of a square around the minimum and the paths.

    A path that diverges is cut: no coordinate is further from the minimum than three times the start.
    """
    start = np.max([np.abs(path.places[0] - surface.minimum).max() for path in paths])
    reach = max(3 * start, 1e-3)
    points = np.concatenate([path.places for path in paths] + [surface.minimum[None]])
    near = points[(np.abs(points - surface.minimum) <= reach).all(axis=1)]
    middle, half = (near.min(axis=0) + near.max(axis=0)) / 2, np.ptp(near, axis=0).max() / 2
    half = max(half * 1.25, 1e-3)
    return middle - half, middle + half


def surface_picture(
    surface: Surface,
    paths: Sequence[Path],
    corners: Corners,
    *,
    facts: str = "",
    title: str = "",
    note: str = "",
    grid: int = GRID,
) -> "Figure":
    """Draw contours with gradient arrows and paths, and the same surface in three dimensions.

    Args:
        surface: The function.
        paths: One for each training.
        corners: The lower and the upper corner of what is drawn.
        facts: Small, below the panels, such as the largest stable rate.
        title: Above the panels.
        note: Small, after the facts.
        grid: Nodes along each axis.
    """
    low, high = corners
    axis = [np.linspace(low[i], high[i], grid) for i in range(2)]
    first, second = np.meshgrid(*axis)
    values = surface(np.stack([first, second], axis=-1))
    with styled(title, note, *(path.label for path in paths)):
        figure = make_figure(13, 6)
        entitle(figure, title, f"{facts}   ({note})" if note else facts)
        plane = figure.add_subplot(1, 2, 1)
        draw_contours(plane, surface, axis, values)
        for place, path in enumerate(paths):
            draw_path(plane, path, place)
        plane.set_xlim(low[0], high[0])
        plane.set_ylim(low[1], high[1])
        plane.legend(loc="best", frameon=True, framealpha=0.85)
        draw_relief(figure.add_subplot(1, 2, 2, projection="3d"), surface, (first, second, values), paths)
        return figure


def draw_contours(axes: "Axes", surface: Surface, axis: Sequence[np.ndarray], values: np.ndarray) -> None:
    """Draw contours at levels in a geometric series above the minimum, arrows along -∇E, and the minimum."""
    least = float(surface(surface.minimum))
    rise = values - least
    levels = least + np.geomspace(max(rise.max() / 2000, 1e-12), rise.max(), NUM_LEVELS)
    axes.contourf(*axis, values, levels=[least, *levels], cmap="viridis", alpha=0.55, norm="log" if least > 0 else None)
    axes.contour(*axis, values, levels=levels, colors="white", linewidths=0.7)
    every = max(len(axis[0]) // NUM_ARROWS, 1)
    nodes = np.stack(np.meshgrid(*(one[every // 2 :: every] for one in axis)), axis=-1)
    slope = -surface.gradient(nodes)
    length = np.linalg.norm(slope, axis=-1, keepdims=True)
    direction = slope / np.maximum(length, 1e-12)
    axes.quiver(nodes[..., 0], nodes[..., 1], direction[..., 0], direction[..., 1], color=GREY, alpha=0.7, width=0.003)
    name = word("minima") if len(surface.minima) > 1 else word("minimum")
    axes.plot(*surface.minima.T, "*", color="white", markeredgecolor="black", markersize=16, label=name, zorder=5)
    axes.set_xlabel(surface.names[0])
    axes.set_ylabel(surface.names[1])
    axes.set_title(word("contours, and the direction of steepest descent"), fontsize=TILES_TITLE)


def draw_path(axes: "Axes", path: Path, place: int) -> None:
    """Draw one training's parameters from the first to the last kept step."""
    color, marker = OKABE_ITO[place % len(OKABE_ITO)], MARKERS[place % len(MARKERS)]
    # A white edge, which is visible on every colour of the surface, in grey too.
    axes.plot(*path.places.T, "-", color="white", marker=marker, markersize=6, linewidth=EDGE, zorder=4)
    axes.plot(
        *path.places.T,
        DASHES[place % len(DASHES)],
        color=color,
        marker=marker,
        markersize=4,
        linewidth=1.6,
        label=word("{label} ({steps:,} steps)", label=path.label, steps=path.steps[-1]),
        zorder=4,
    )


def draw_relief(
    axes: "Axes", surface: Surface, grid: tuple[np.ndarray, np.ndarray, np.ndarray], paths: Sequence[Path]
) -> None:
    """Draw the surface in three dimensions with the paths on it."""
    from matplotlib.patheffects import withStroke

    edge = [withStroke(linewidth=EDGE, foreground="white")]
    first, second, values = grid
    axes.plot_surface(first, second, values, cmap="viridis", alpha=0.6, linewidth=0, rcount=50, ccount=50)  # type: ignore[attr-defined]
    low, high = np.array([first.min(), second.min()]), np.array([first.max(), second.max()])
    for place, path in enumerate(paths):
        inside = path.places[((path.places >= low) & (path.places <= high)).all(axis=1)]
        axes.plot(
            *inside.T,
            surface(inside),
            color=OKABE_ITO[place % len(OKABE_ITO)],
            linewidth=2,
            zorder=5,
            path_effects=edge,
        )
    axes.set_xlabel(surface.names[0])
    axes.set_ylabel(surface.names[1])
    axes.zaxis.set_rotate_label(False)  # type: ignore[attr-defined]  # It leaves short labels horizontal.
    axes.set_zlabel(word(surface.quantity), rotation=90)  # type: ignore[attr-defined]
    axes.set_title(word("the surface"), fontsize=TILES_TITLE)


def distance_picture(surface: Surface, paths: Sequence[Path], *, title: str = "", note: str = "") -> "Figure":
    """Draw the distance from the minimum, and the excess error, over the steps, on logarithmic axes."""
    from matplotlib.ticker import StrMethodFormatter

    with styled(title, note, *(path.label for path in paths)):
        figure = make_figure(12, 4.8)
        entitle(figure, title, note)
        distance, excess = figure.subplots(1, 2)
        for place, path in enumerate(paths):
            form = f"{DASHES[place % len(DASHES)]}{MARKERS[place % len(MARKERS)]}"
            style = {"color": OKABE_ITO[place % len(OKABE_ITO)], "markersize": 4}
            gap = np.linalg.norm(path.places - goal(surface, path.places[-1]), axis=1)
            distance.plot(path.steps, gap, form, label=path.label, **style)
            excess.plot(path.steps, surface.excess(path.places), form, label=path.label, **style)
        first = DISTANCES[min(len(surface.minima), 2)]
        for axes, name in ((distance, first), (excess, "excess error E(θ) - E(θ*)")):
            axes.set_xscale("symlog", linthresh=1)
            axes.set_yscale("log")
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            label_decades(axes.yaxis)
            axes.set_xlabel(word("step"))
            axes.set_title(word(name), fontsize=TILES_TITLE)
            axes.legend(frameon=True, framealpha=0.85)  # Readable over lines.
        return figure


def goal(surface: Surface, place: np.ndarray) -> np.ndarray:
    """The minimum that is nearest to a place, `(2,)`; the lowest place where there is none."""
    if not len(surface.minima):
        return surface.minimum
    one: np.ndarray = surface.minima[np.linalg.norm(surface.minima - place, axis=1).argmin()]
    return one
