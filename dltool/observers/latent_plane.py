"""The space of an autoencoder's codes: where the samples are, and what the decoder makes of the places around them."""

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dltool.core.randomness import generator
from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.observer import Observer, Progress
from dltool.figures.drawing import STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.figures.tiles import colors, tiled
from dltool.introspection.codes import Codes
from dltool.observers.network_plots import WORDS, drawn
from dltool.tasks.coding import CodingTask
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.axes import Axes

SIDE = 12  # Of a decoded plane, in samples; of an image of more pixels fewer.
NUM_DRAWS = 500
INNER = 0.95  # The share of N(0, 1) in each direction that the plane of the prior shows, and of N(0, I) in the circle.
CLASSES_UP_TO = 20  # With a colour of their own.


class LatentPlanePlot(Observer):
    """Draws plots/latent_plane.png when the training of an autoencoder or a VAE ends; see `draw_latent_plane`.

    It shows the samples that were measured last: of the test, or of the validation split where there was none.

    Args:
        run_dir: The run folder.
        title: What was trained, such as "vae on digits".
        spec: Of the data.
    """

    def __init__(self, run_dir: Path, title: str, spec: DataSpec) -> None:
        self.path = SafePath(run_dir) / "plots" / "latent_plane.png"
        self.title = title
        self.spec = spec
        self._task: Task | None = None
        self._watching: Codes | None = None
        self._seen: tuple[str, Codes] | None = None

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._watching = task, watch_codes(task)

    def on_record(self, record: dict[str, Any]) -> None:
        """An evaluation that was broken off has no record, and is not drawn."""
        if record["split"] in ("val", "test") and self._watching is not None:
            self._seen = record["split"], copy.copy(self._watching)

    def on_end(self) -> None:
        if self._seen is not None and isinstance(self._task, CodingTask):
            task, (split, codes) = self._task, self._seen
            drawn(lambda path: draw_latent_plane(task, codes, self.spec, path, self.title, split), self.path)


def watch_codes(task: Task) -> Codes | None:
    """Have the codes of a task's evaluations kept; None where it has none."""
    if not isinstance(task, CodingTask):
        return None
    codes = Codes()
    task.watchers.append(codes)
    return codes


def draw_latent_plane(task: CodingTask, kept: Codes, spec: DataSpec, path: Target, title: str, split: str) -> bool:
    """Draw why a code that is drawn at random fails for an autoencoder and works for a VAE.

    Left the codes of held-out samples by class over draws of N(0, I): where the two clouds are one, a draw lands where
    the decoder has learned something. For images then what it makes of such draws, and of the plane: that of the codes
    where they have two numbers, else that of their two principal directions, through their mean.

    Returns:
        Whether there was anything to draw.
    """
    import matplotlib

    if kept.num_kept < 2:
        return False
    codes = kept.codes
    plane = Plane(codes)
    draws = task.draw_codes(NUM_DRAWS, generator(0, "latent plane"))
    pictures = panels(task, plane, draws) if len(spec.input_shape) == 3 else []
    word = WORDS.get(split, split)
    with fonts_for(title, *spec.class_names), matplotlib.rc_context({**STYLE, "axes.grid": False}):
        figure = make_figure(6.2 * (1 + len(pictures)) + 0.3, 6.9)
        axes = figure.subplots(1, 1 + len(pictures), squeeze=False)[0]
        figure.suptitle(f"{title}: the codes of {len(codes):,} {word} samples, and what the decoder makes of others")
        draw_codes(axes[0], plane, codes, kept.targets, plane.of(draws.cpu()), spec)
        for one, (name, samples, extent) in zip(axes[1:], pictures, strict=True):
            draw_grid(one, samples, spec, name, extent, plane.labels)
        save_figure(figure, path)
    return True


class Plane:
    """Where codes of any length are seen from: their own two numbers, or their two principal directions.

    Args:
        codes: `(N, latent_dim)`.

    Attributes:
        labels: Of the axes.
    """

    def __init__(self, codes: Tensor) -> None:
        latent_dim = codes.shape[1]
        self.center, self.directions = torch.zeros(latent_dim), torch.eye(latent_dim)[:2]
        self.labels = ["z₁", "z₂"][:latent_dim]
        if latent_dim > 2:
            self.center = codes.mean(0)
            _, lengths, directions = torch.linalg.svd(codes - self.center, full_matrices=False)
            self.directions = directions[:2]
            shares = lengths.square() / lengths.square().sum().clamp(min=1e-12)
            self.labels = [
                f"principal direction {i + 1} of {latent_dim} ({100 * float(shares[i]):.0f} % of the variance)"
                for i in range(2)
            ]
        places = self.of(codes)
        self.low, self.high = places.quantile(0.01, dim=0), places.quantile(0.99, dim=0)

    def of(self, codes: Tensor) -> Tensor:
        """Where codes are in it, `(N, 2)`; `(N, 1)` for codes of one number."""
        return (codes - self.center) @ self.directions.T

    def codes_at(self, places: Tensor) -> Tensor:
        """The codes of places in it."""
        return self.center + places @ self.directions

    def grid(self, side: int) -> tuple[Tensor, tuple[float, float, float, float]]:
        """Codes over the range that the samples' codes have, the upper row first, and that range."""
        x = torch.linspace(float(self.low[0]), float(self.high[0]), side)
        y = torch.linspace(float(self.high[-1]), float(self.low[-1]), side)
        # A place is the middle of its sample's picture.
        half_x, half_y = (float(self.high[i] - self.low[i]) / (2 * side - 2) for i in (0, -1))
        extent = (float(x[0]) - half_x, float(x[-1]) + half_x, float(y[-1]) - half_y, float(y[0]) + half_y)
        if len(self.directions) == 1:
            return self.codes_at(x[:, None]), (*extent[:2], 0, 1)
        return self.codes_at(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).view(-1, 2)), extent


Panel = tuple[str, list[np.ndarray], tuple[float, float, float, float] | None]


def panels(task: CodingTask, plane: Plane, draws: Tensor) -> list[Panel]:
    """The decoded pictures, each its title, its rows and where it lies in the plane."""
    side = SIDE if task.spec.input_shape[1] <= 32 else SIDE // 2

    def decoded(codes: Tensor, num_columns: int, labels: Tensor | None = None) -> list[np.ndarray]:
        classes = None if labels is None else labels.to(draws.device)
        samples = task.decode(codes.to(draws.device), classes).float().cpu().numpy()
        return [samples[start : start + num_columns] for start in range(0, len(samples), num_columns)]

    codes, extent = plane.grid(side)
    one_class = torch.zeros(len(codes), dtype=torch.int64) if task.num_classes else None
    name = "decoded plane over the samples' codes" + (f", as {task.spec.class_names[0]}" if task.num_classes else "")
    plane_of_samples: Panel = name, decoded(codes, side, one_class), extent
    if task.num_classes:  # The same codes as each class.
        num_rows = min(task.num_classes, side)
        classes = torch.arange(num_rows).repeat_interleave(side)
        of_draws = decoded(draws[:side].repeat(num_rows, 1), side, classes)
        return [("decoded draws of N(0, I): a row is a class, a column a code", of_draws, None), plane_of_samples]
    if task.latent_dim == 2:
        quantiles = torch.special.ndtri(torch.linspace((1 - INNER) / 2, (1 + INNER) / 2, side))
        x, y = torch.meshgrid(quantiles, -quantiles, indexing="xy")
        of_prior = decoded(torch.stack([x, y], dim=-1).view(-1, 2), side)
        return [(f"decoded plane at quantiles of N(0, 1), {100 * INNER:.0f} % of it", of_prior, None), plane_of_samples]
    num_columns = side // 2 + 1
    return [("decoded draws of N(0, I)", decoded(draws[: num_columns**2], num_columns), None), plane_of_samples]


def draw_codes(axes: "Axes", plane: Plane, codes: Tensor, targets: Tensor, draws: Tensor, spec: DataSpec) -> None:
    """A scatter of the samples' codes over draws of N(0, I)."""
    from matplotlib import colormaps
    from matplotlib.patches import Circle

    places = plane.of(codes).numpy()
    xs, ys = places[:, 0], places[:, -1] if places.shape[1] > 1 else np.zeros(len(places))
    names = spec.class_names
    if names and len(names) <= CLASSES_UP_TO:
        palette = colormaps["tab10" if len(names) <= 10 else "tab20"]
        classes = targets.numpy()
        for k, name in enumerate(names):
            of_class = classes == k
            axes.plot(xs[of_class], ys[of_class], ".", color=palette(k), markersize=4, label=name, zorder=2)
    else:
        axes.plot(xs, ys, ".", color="#1f77b4", markersize=4, label="samples", zorder=2)
    other = draws[:, -1].numpy() if draws.shape[1] > 1 else np.zeros(len(draws))
    axes.plot(draws[:, 0].numpy(), other, "o", color="#c8c8c8", markersize=3, zorder=1, label="draws of N(0, I)")
    if draws.shape[1] > 1:
        radius = math.sqrt(-2 * math.log(1 - INNER))  # Of two normal numbers.
        x, y = plane.of(torch.zeros(1, codes.shape[1]))[0].tolist()
        axes.add_patch(Circle((x, y), radius, fill=False, edgecolor="#606060", linestyle="--", zorder=3))
        axes.plot([], [], "--", color="#606060", linewidth=1, label=f"{100 * INNER:.0f} % of N(0, I)")
    axes.set_title("codes")
    axes.set_xlabel(plane.labels[0])
    axes.set_ylabel(plane.labels[-1] if len(plane.labels) > 1 else "")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=6, markerscale=1.8)


def draw_grid(
    axes: "Axes",
    rows: Sequence[np.ndarray],
    spec: DataSpec,
    title: str,
    extent: tuple[float, float, float, float] | None,
    labels: Sequence[str],
) -> None:
    """Decoded samples side by side, with the plane's coordinates where they lie in it."""
    images = np.concatenate(rows)
    low, high = spec.input_range or (images.min(), images.max())
    pictures = [list(colors(255 * ((row - low) / max(high - low, 1e-12)).clip(0, 1))) for row in rows]
    tiles = tiled(pictures, (images.shape[2], images.shape[3]), gap=0.1)
    if extent is None:
        axes.imshow(tiles.pixels, interpolation="nearest")
        axes.set_axis_off()
    else:
        axes.imshow(tiles.pixels, interpolation="nearest", extent=extent, aspect="auto")
        axes.set_box_aspect(tiles.pixels.shape[0] / tiles.pixels.shape[1])
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[-1] if len(labels) > 1 else "")
    axes.set_title(title)
