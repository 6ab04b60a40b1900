"""Shared by figures of curves and panels: creating a figure, its columns, the scales of its axes."""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dltool.figures.style import CAPTION_SIZE, DPI, GREY, PANELS_TITLE
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

LEARNING_RATE = "learning rate"
DECADES_FOR_LOG_SCALE = 2
MARKERS_UP_TO = 40
FEW_DECADES = 0.6  # Below them each digit of a logarithmic axis is labelled, since 2 and 5 may lie outside.
LEGEND_CHARACTERS_PER_INCH = 11
LABEL_INCHES = 0.52  # From an x-axis to the lower end of its label.


def make_figure(width: float, height: float, dpi: int = DPI) -> "Figure":
    """A figure, in inches, that keeps the style in which it is created when it is drawn later.

    It needs neither pyplot nor a display: a notebook's backend and figures are not changed.
    """
    from dltool.figures.styled_figure import StyledFigure

    return StyledFigure(figsize=(width, height), layout="constrained", dpi=dpi)


def entitle(figure: "Figure", title: str, *notes: str) -> None:
    """Write the title above the panels of a figure, and small lines below them; empty ones are left out."""
    figure.suptitle(title, fontsize=PANELS_TITLE)
    if any(notes):
        figure.supxlabel("\n".join(filter(None, notes)), fontsize=CAPTION_SIZE, color=GREY)


def legend_below(axes: "Axes", columns: int, **options: Any) -> None:
    """Explain the lines of a panel below the label of its x-axis, where no curve passes; nothing without labels."""
    from matplotlib.transforms import ScaledTranslation

    if axes.get_legend_handles_labels()[1]:
        below = axes.transAxes + ScaledTranslation(0, -LABEL_INCHES, axes.figure.dpi_scale_trans)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=columns, **options)


def num_panel_columns(num_panels: int) -> int:
    """The number of panels side by side: up to three, four as two by two."""
    return min(num_panels, 3) if num_panels != 4 else 2


def legend_columns(names: Sequence[str], width: float) -> int:
    """The number of entries that fit side by side into a width in inches."""
    longest = max(map(len, names)) + 4
    return max(1, min(len(names), int(width * LEGEND_CHARACTERS_PER_INCH / longest)))


def scale_metric_axis(axes: "Axes", name: str, values: Iterable[float]) -> None:
    """Set a logarithmic y-axis if useful, a note if no value is finite, and the metric's name.

    Args:
        axes: The axes of one metric.
        name: The metric, such as "loss" or "val/loss".
        values: All values drawn.
    """
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        axes.text(0.5, 0.5, word("no finite value"), transform=axes.transAxes, ha="center", color=GREY)
        axes.set_yticks([])
    elif wants_log_scale(name, finite):
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))  # 0.01, no power of ten
    else:
        axes.ticklabel_format(axis="y", useOffset=False)  # 1.1304, not 0.0004 with "+1.13" in the corner
    axes.set_ylabel(metric_name(name))


def metric_name(name: str) -> str:
    """ "val/loss" in the language of the figures, and with spaces."""
    return "/".join(word(part) for part in name.replace("_", " ").split("/"))


def label_decades(axis: "Axis") -> None:
    """Label a logarithmic axis with plain numbers, 0.01 and not a power of ten; of two decades at most also between."""
    from matplotlib.ticker import FuncFormatter, NullFormatter, StrMethodFormatter

    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low) if low > 0 else math.inf
    digits = "25" if decades >= FEW_DECADES else "23456789"
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(FuncFormatter(partial(labelled_minor, digits)) if decades < 2 else NullFormatter())


def labelled_minor(digits: str, value: float, _place: int | None = None) -> str:
    """The value if its first digit is among those that are labelled."""
    return f"{value:g}" if f"{value:e}"[0] in digits else ""


def scale_progress_axis(axes: "Axes", unit: str, end: float) -> None:
    """Set an x-axis in whole steps or epochs from 0 to slightly beyond the end."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(word(unit))
    axes.set_xlim(0, 1.03 * end or 1)
    # With two ticks, the default minimum, less than an epoch would have fractions in spite of integer.
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))


def wants_log_scale(name: str, values: list[float]) -> bool:
    """Whether a loss, or a learning rate that is divided by about the same factor again and again, spans decades."""
    if min(values) <= 0 or max(values) / min(values) < 10**DECADES_FOR_LOG_SCALE:
        return False
    if name == LEARNING_RATE:  # A cosine, which is divided by ever larger factors, is clearer on a linear axis.
        factors = [abs(math.log(a / b)) for a, b in pairwise(values) if a != b]
        return len(factors) > 1 and max(factors) <= 2 * min(factors)
    return "loss" in name or "perplexity" in name
