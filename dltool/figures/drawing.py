"""How every picture of curves looks, that of one run and that of several; without importing torch."""

import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.core.safe_path import SafePath

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

Target = Path | SafePath  # Where a picture goes: a file of the user's choice, or one in a run folder.
LEARNING_RATE = "learning rate"
DECADES_FOR_LOG_SCALE = 2
MARKERS_UP_TO = 40
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "text.parse_math": False,  # A dollar sign in a name is a dollar sign.
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "axes.edgecolor": "#808080",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "legend.borderaxespad": 0.1,
    "legend.borderpad": 0.2,
    "legend.columnspacing": 0.9,
    "legend.handlelength": 1.1,
    "legend.handletextpad": 0.4,
    "lines.linewidth": 1.8,
}


def make_figure(width: float, height: float) -> "Figure":
    """A figure, in inches, with a canvas of its own.

    It does without pyplot and a display: a notebook's backend and figures stay as they are.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", target: Target) -> None:
    """Write a figure; its folder is made. In a run folder it is a PNG, else what the file's suffix says."""
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target)
        return
    png = io.BytesIO()
    figure.savefig(png, format="png")
    target.write_bytes(png.getvalue())


def save_image(image: "Image.Image", target: Target, **options: Any) -> None:
    """The same for an image of PIL; `options` are those of its `save`, for a GIF."""
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, **options)
        return
    content = io.BytesIO()
    image.save(content, format=target.path.suffix.removeprefix("."), **options)
    target.write_bytes(content.getvalue())


def discard(target: Target) -> None:
    """Remove a picture that no longer holds, if there is one."""
    target.unlink(missing_ok=True) if isinstance(target, Path) else target.remove()


def num_panel_columns(num_panels: int) -> int:
    """Panels beside each other: up to three, four as two by two."""
    return min(num_panels, 3) if num_panels != 4 else 2


def scale_metric_axis(axes: "Axes", name: str, values: Iterable[float]) -> None:
    """A logarithmic y-axis where it helps, a word where nothing can be drawn, and the metric's name.

    Args:
        axes: Of one metric.
        name: The metric, such as "loss" or "val/loss".
        values: All that is drawn.
    """
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color="#808080")
        axes.set_yticks([])
    elif wants_log_scale(name, finite):
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))  # 0.01, no power of ten
    else:
        axes.ticklabel_format(axis="y", useOffset=False)  # 1.1304, not 0.0004 with "+1.13" in the corner
    axes.set_ylabel(name.replace("_", " "))


def scale_progress_axis(axes: "Axes", unit: str, end: float) -> None:
    """An x-axis in whole steps or epochs from 0 to a little beyond the end."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(unit)
    axes.set_xlim(0, 1.03 * end or 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def wants_log_scale(name: str, values: list[float]) -> bool:
    """Whether a loss, or a learning rate that falls in steps, spans decades; a cosine is clearer on a linear one."""
    if name == LEARNING_RATE and len(set(values)) > 10:
        return False
    spans = min(values) > 0 and max(values) / min(values) >= 10**DECADES_FOR_LOG_SCALE
    return spans and (name == LEARNING_RATE or "loss" in name or "perplexity" in name)
