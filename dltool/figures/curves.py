"""The learning curves of a run: a panel per metric, one for the learning rates."""

import itertools
import math
from typing import TYPE_CHECKING, Any

from dltool.figures.drawing import (
    LEARNING_RATE,
    MARKERS_UP_TO,
    make_figure,
    num_panel_columns,
    scale_metric_axis,
    scale_progress_axis,
    wants_log_scale,
)
from dltool.figures.style import (
    CURVES_TITLE,
    GREY,
    NOTE_SIZE,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    SPLIT_COLORS,
    SPLIT_DASHES,
    styled,
)
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Points (step or epoch, value) of each split of each metric: curves["loss"]["val"]. The split "step" is the training
# split, averaged over a few steps instead of an epoch.
Curves = dict[str, dict[str, list[tuple[float, float]]]]


def learning_curves(
    records: list[dict[str, Any]],
    *,
    steps_per_epoch: float | None = None,
    title: str = "",
    subtitle: str = "",
) -> "Figure":
    """Draw one panel per metric, its splits together, and one for the learning rates.

    Args:
        records: The records of metrics.jsonl, at least one.
        steps_per_epoch: If given, the x-axis is in epochs, else in steps.
        title: Large, above the panels.
        subtitle: Small and grey, below them.
    """
    curves = collect_curves(records, steps_per_epoch or 1.0)
    num_columns = num_panel_columns(len(curves))
    num_rows = math.ceil(len(curves) / num_columns)
    with styled(title, subtitle, *curves):
        figure = make_figure(1.2 + PANEL_WIDTH * num_columns, 0.9 + PANEL_HEIGHT * num_rows)
        figure.suptitle(title, fontsize=CURVES_TITLE)
        if any({"step", "train"} <= splits.keys() for splits in curves.values()):
            subtitle += word("   (pale: training, within the epochs)")
        figure.supxlabel(subtitle, fontsize=NOTE_SIZE, color=GREY)
        end = max(record["step"] for record in records) / (steps_per_epoch or 1)
        for place, (name, splits) in enumerate(curves.items(), start=1):
            axes = figure.add_subplot(num_rows, num_columns, place)
            if name == LEARNING_RATE:
                _draw_learning_rates(axes, splits)
            else:
                _draw_metric(axes, name, splits)
            scale_progress_axis(axes, "epoch" if steps_per_epoch else "step", end)
        return figure


def collect_curves(records: list[dict[str, Any]], steps_per_epoch: float) -> Curves:
    """Sort the records' numbers by metric and split, losses first and learning rates last.

    The learning rates of all roles (`train/lr`, `train/lr_generator`) are one metric with a curve per role.
    """
    curves: Curves = {}
    rates: Curves = {}
    for record in records:
        place = record.get("tested_step", record["step"]) / steps_per_epoch  # The test is of earlier weights, perhaps.
        for key, value in record.items():
            split, slash, name = key.partition("/")
            if not slash or split not in SPLIT_COLORS or not isinstance(value, int | float):
                continue
            group, curve = (curves, split) if not name.startswith("lr") else (rates, name[3:] or "train")
            panel = name if group is curves else LEARNING_RATE
            group.setdefault(panel, {}).setdefault(curve, []).append((place, float(value)))
    by_loss = sorted(curves, key=lambda name: "loss" not in name)  # A stable sort keeps the order of the log.
    return {name: curves[name] for name in by_loss} | rates


def _draw_metric(axes: "Axes", name: str, splits: dict[str, list[tuple[float, float]]]) -> None:
    for split in sorted(splits, key=[*SPLIT_COLORS].index):
        xs, ys = zip(*splits[split], strict=True)
        color, label = SPLIT_COLORS[split], f"{word(split)} {ys[-1]:.4g}"
        if split == "test":
            axes.plot(xs, ys, "*", color=color, label=label, markersize=13, zorder=3, clip_on=False)
        elif split == "step":  # Below the epochs' curve of the same hue, which has the label.
            axes.plot(
                xs, ys, color=color, label=None if "train" in splits else f"{word('train')} {ys[-1]:.4g}", linewidth=1.2
            )
        else:
            dash, marker = SPLIT_DASHES[split][:-1], SPLIT_DASHES[split][-1]
            few = len(xs) <= MARKERS_UP_TO
            axes.plot(xs, ys, dash, color=color, label=label, marker=marker if few else None, markersize=4)
    scale_metric_axis(axes, name, (y for points in splits.values() for _, y in points))
    _place_legend(axes)


def _draw_learning_rates(axes: "Axes", roles: dict[str, list[tuple[float, float]]]) -> None:
    from matplotlib.ticker import StrMethodFormatter

    for style, (role, points) in zip(itertools.cycle(("-", "--", ":")), roles.items(), strict=False):
        xs, ys = zip(*sorted(points), strict=True)
        axes.plot(xs, ys, style, label=role, marker="o" if len(xs) == 1 else None)
    values = [y for points in roles.values() for _, y in points]
    if wants_log_scale(LEARNING_RATE, values):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.1 * max(values) or 1)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_ylabel(word(LEARNING_RATE))
    if len(roles) > 1:
        _place_legend(axes)


def _place_legend(axes: "Axes") -> None:
    """Place the legend above the axes, outside the data."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
