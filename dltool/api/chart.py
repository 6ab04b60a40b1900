"""Learning curves as small SVG pictures, drawn in about a millisecond while a training goes on.

The figures of `dltool plot` are matplotlib's, which takes a tenth of a second per figure and must not be used by two
threads at once; a display beside a running training can afford neither.
"""

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dltool.core.numerals import numeral
from dltool.figures.curves import Curves
from dltool.figures.drawing import LEARNING_RATE, MARKERS_UP_TO, wants_log_scale
from dltool.figures.style import OKABE_ITO
from dltool.report.document import thinned
from dltool.report.words import word

WIDTH, HEIGHT = 300, 210
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 32, 40  # Margins of the axes.
MOST_PANELS = 3
INK, PALE = "#404040", "#e4e4e4"
BLUE, VERMILION, GREEN = OKABE_ITO[:3]


class Look(NamedTuple):
    """How the line of a split is drawn; `dash` as SVG's stroke-dasharray."""

    color: str
    width: float = 1.8
    dash: str = ""
    marker: str = ""


# Of the splits; their dashes and markers differ too, for grey and for colour blindness.
LOOKS = {
    "step": Look(OKABE_ITO[5], 1.0),
    "train": Look(BLUE, marker="circle"),
    "val": Look(VERMILION, dash="6 3", marker="square"),
    "test": Look(GREEN, marker="star"),
}
OTHERS = (Look(BLUE), Look(VERMILION, dash="6 3"), Look(GREEN, dash="2 2"))  # Of the learning rates of several roles.


class Axis(NamedTuple):
    """An axis from `low` to `high`, drawn from `start` to `end` in pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, value: float) -> float:
        """Where a value is drawn, in pixels."""
        low, high, at = (math.log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """About four round values; powers of ten on a logarithmic axis, if there are two."""
        if self.is_log:
            powers = [10.0**k for k in range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)]
            if len(powers) > 1:
                return powers[:: -(-len(powers) // 5)]
        width = (self.high - self.low) / 4
        unit = 10.0 ** math.floor(math.log10(width))
        step = unit * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * unit >= width)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def curve_images(curves: Curves, unit: str) -> str:
    """The first panels of some curves as HTML: images that contain everything, so that untrusted notebooks show them.

    Args:
        curves: As dltool.figures.curves has them; an axis of epochs or steps is what they were collected for.
        unit: "epoch" or "step".
    """
    shown = list(ordered(curves).items())[:MOST_PANELS]
    panels = {name: svg for name, splits in shown if (svg := panel(name, splits, unit))}
    return "".join(
        f'<img width="{WIDTH}" height="{HEIGHT}" alt="{html.escape(name)}" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
        for name, svg in panels.items()
    )


def ordered(curves: Curves) -> Curves:
    """The losses first, the learning rates last."""
    rank = {name: 2 if name == LEARNING_RATE else "loss" not in name for name in curves}
    return {name: curves[name] for name in sorted(curves, key=lambda name: rank[name])}


def panel(name: str, splits: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """One metric as SVG; empty if it has no finite value."""
    kept = {split: finite(points) for split, points in splits.items()}
    kept = {split: points for split, points in kept.items() if points}
    values = [y for points in kept.values() for _, y in points]
    if not values:
        return ""
    x, y = axes_of([x for points in kept.values() for x, _ in points], values, name)
    parts = [grid(x, y), labels(name, unit)]
    looks = looks_of(kept)
    parts += [line(points, looks[split], x, y) for split, points in kept.items()]
    parts.append(legend({split: points[-1][1] for split, points in kept.items()}, looks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(parts)}</svg>"
    )


def finite(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The finite points, of many only some; see thinned."""
    return list(thinned({x: y for x, y in points if math.isfinite(x) and math.isfinite(y)}).items())


def axes_of(xs: Sequence[float], ys: Sequence[float], name: str) -> tuple[Axis, Axis]:
    low, high = min(ys), max(ys)
    is_log = wants_log_scale(name, list(ys))
    if is_log:
        low, high = low / 1.15, high * 1.15
    else:
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
        low, high = low - margin if low != 0 or high == low else 0.0, high + margin
    first, last = min(0.0, *xs), max(xs)
    return Axis(first, last if last > first else first + 1, LEFT, WIDTH - RIGHT), Axis(
        low, high, HEIGHT - BOTTOM, TOP, is_log
    )


def grid(x: Axis, y: Axis) -> str:
    parts = []
    for value in y.ticks():
        at = y.place(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{PALE}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{value:.6g}</text>')
    for value in x.ticks():
        at = x.place(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{PALE}"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{value:.6g}</text>')
    frame = f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="{INK}" fill="none"/>'
    return "".join(parts) + frame


def labels(name: str, unit: str) -> str:
    middle, metric = (TOP + HEIGHT - BOTTOM) / 2, html.escape(word(name))
    return (
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(word(unit))}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{metric}</text>'
    )


def looks_of(splits: Iterable[str]) -> dict[str, Look]:
    """The look of each line; an epoch's points over the pale ones within it."""
    return {split: LOOKS.get(split, OTHERS[place % len(OTHERS)]) for place, split in enumerate(splits)}


def line(points: Sequence[tuple[float, float]], look: Look, x: Axis, y: Axis) -> str:
    places = [(x.place(at), y.place(value)) for at, value in points]
    path = " ".join(f"{at:.1f},{value:.1f}" for at, value in places)
    drawn = (
        f'<polyline points="{path}" fill="none" stroke="{look.color}" stroke-width="{look.width}" '
        f'stroke-dasharray="{look.dash}"/>'
    )
    few = bool(look.marker) and len(points) <= MARKERS_UP_TO
    return drawn + "".join(mark(*place, look) for place in places if few or len(places) == 1)


def mark(x: float, y: float, look: Look) -> str:
    if look.marker == "square":
        return f'<rect x="{x - 2.5:.1f}" y="{y - 2.5:.1f}" width="5" height="5" fill="{look.color}"/>'
    if look.marker == "star":
        return f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" font-size="16" fill="{look.color}">★</text>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{look.color}"/>'


def legend(last: Mapping[str, float], looks: Mapping[str, Look]) -> str:
    """Each line with its last value, above the axes."""
    parts = []
    shown = {name: value for name, value in last.items() if name != "step" or "train" not in last}
    width = (WIDTH - LEFT - RIGHT) / max(len(shown), 2)
    for number, (split, value) in enumerate(shown.items()):
        at, look = LEFT + number * width, looks[split]
        name = word("train" if split == "step" else split)
        parts.append(
            f'<path d="M{at} 16h14" stroke="{look.color}" stroke-width="2" stroke-dasharray="{look.dash}"/>'
            f"{mark(at + 7, 16, look) if look.marker else ''}"
            f'<text x="{at + 18}" y="20" font-size="10">{html.escape(name)} {numeral(value)}</text>'
        )
    return "".join(parts)
