"""Pictures of what a generative model makes, one per epoch, always from the same noise."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from dltool.observers.fonts import fonts_for
from dltool.observers.observer import Observer, Progress
from dltool.randomness import derive_seed, seed_default_generators
from dltool.spec import DataSpec
from dltool.tasks.task import Task

GRID_SIDE = 8
NUM_POINTS = 2000
GRID_PIXELS = 640
PICTURES_PER_RUN = 50


class SamplesPlot(Observer):
    """Draws `samples/epoch-0001.png` and so on, for tasks that have samples.

    Images become a grid of 8 × 8; points in the plane a scatter over the modes of the data, with the same axes
    in every picture. Data of other shapes has no picture.

    The first epoch, the end of the training and every n-th epoch between are drawn; a training that is measured
    in steps names its pictures `step-000500.png`. The training is not changed by it: the default generators and
    the mode of every module are put back.

    Args:
        run_dir: The run folder.
        spec: Of the training data.
        every_n_epochs: None for as many as give about fifty pictures in all.
        seed: Of the noise, which is the same in every picture, so that one sees the same samples grow.
    """

    def __init__(self, run_dir: Path, spec: DataSpec, *, every_n_epochs: int | None = None, seed: int = 0) -> None:
        self.folder = run_dir / "samples"
        self.spec = spec
        self.every_n_epochs = every_n_epochs
        self.seed = seed
        self._task: Task | None = None
        self._progress = Progress()
        self._drawn = 0  # Epoch, or step, of the newest picture.

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        self._drawn = self._position()

    def on_epoch(self) -> None:
        epoch = self._progress.epoch
        if epoch == 1 or epoch % (self.every_n_epochs or self._automatic_period()) == 0:
            self._draw()

    def on_end(self) -> None:
        if (
            self._position() > self._drawn
        ):  # Not in the middle of an epoch: its picture shows the end of the one before.
            self._draw()

    def _position(self) -> int:
        progress = self._progress
        return progress.step if progress.total_epochs is None else progress.epoch

    def _automatic_period(self) -> int:
        """Epochs between two pictures, also where the length is given in steps."""
        progress = self._progress
        total = progress.total_epochs or progress.total_steps * progress.epoch / max(progress.step, 1)
        return max(math.ceil(total / PICTURES_PER_RUN), 1)

    def _draw(self) -> None:
        progress, shape = self._progress, self.spec.input_shape
        is_image = len(shape) == 3
        if self._task is None or not (is_image or shape == (2,)):
            return
        with drawing_samples(self._task, derive_seed(self.seed, "samples")):
            samples = self._task.samples(GRID_SIDE**2 if is_image else NUM_POINTS)
        if samples is None:
            return
        self._drawn = self._position()
        in_epochs = progress.total_epochs is not None
        name = f"epoch-{progress.epoch:04d}.png" if in_epochs else f"step-{progress.step:06d}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        array = samples.detach().float().cpu().numpy()
        if is_image:
            draw_image_grid(array, self.folder / name, self.spec.input_range)
        else:
            title = f"epoch {progress.epoch}" if in_epochs else f"step {progress.step:,}"
            draw_points(array, self.folder / name, self.spec, title)


@contextmanager
def drawing_samples(task: Task, seed: int) -> Iterator[None]:
    """Evaluation mode, no gradients and seeded default generators; all as it was afterwards.

    The mode is kept per module: a frozen batch norm inside a network in training stays in evaluation.
    """
    networks = {task.model, *task.roles.values()}
    modules = {module for network in networks for module in network.modules()}
    modes = {module: module.training for module in modules}
    parameter = next((p for network in networks for p in network.parameters()), torch.empty(0))
    device = parameter.device
    accelerators = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(accelerators, device_type=device.type if accelerators else "cuda"), torch.no_grad():
        seed_default_generators(seed, device)
        try:
            for network in networks:
                network.eval()
            yield
        finally:
            for module, mode in modes.items():
                module.training = mode


def draw_image_grid(
    images: np.ndarray, path: Path, value_range: tuple[float, float] | None, *, columns: int | None = None
) -> None:
    """Write images as a grid, enlarged to about 640 pixels without smoothing.

    Args:
        images: `(N, C, H, W)`; one channel is drawn grey, three as RGB, of any other number the first.
        path: Of the PNG.
        value_range: What is black and what is white; None for the least and the greatest value.
        columns: Images in a row; None for as many as there are rows.
    """
    from PIL import Image

    low, high = value_range or (images.min(), images.max())
    scaled = np.nan_to_num((images - low) / max(high - low, 1e-12)).clip(0, 1)
    pixels = (255 * scaled).round().astype(np.uint8)
    pixels = pixels if pixels.shape[1] == 3 else pixels[:, :1]
    side = columns or math.ceil(math.sqrt(len(pixels)))
    zoom = max(1, round(GRID_PIXELS / side / pixels.shape[2]))
    pixels = pixels.repeat(zoom, axis=2).repeat(zoom, axis=3)

    _, num_channels, height, width = pixels.shape
    gap = max(2, height // 16)
    num_rows = math.ceil(len(pixels) / side)
    grid = np.full((num_channels, num_rows * (height + gap) + gap, side * (width + gap) + gap), 96, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = gap + i // side * (height + gap), gap + i % side * (width + gap)
        grid[:, top : top + height, left : left + width] = image
    Image.fromarray(grid.transpose(1, 2, 0).squeeze()).save(path)


def draw_points(points: np.ndarray, path: Path, spec: DataSpec, title: str) -> None:
    """Write a scatter of generated points over the known modes of the data.

    Args:
        points: `(N, 2)`.
        path: Of the PNG.
        spec: Its centers are drawn as crosses, with a circle of two standard deviations, and set the axes.
        title: Above the axes.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    with fonts_for(title), matplotlib.rc_context({"font.size": 11}):
        figure = Figure(figsize=(6, 6), layout="constrained", dpi=110)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_aspect("equal")
        if spec.centers:
            centers = np.array(spec.centers)
            middle, reach = centers.mean(axis=0), np.ptp(centers, axis=0).max() / 2 * 1.3 + 4 * spec.center_std
            axes.set_xlim(middle[0] - reach, middle[0] + reach)
            axes.set_ylim(middle[1] - reach, middle[1] + reach)
            outside = int((np.abs(points - middle) > reach).any(axis=1).sum())
            title += f"  ({outside:,} of {len(points):,} points outside)" if outside else ""
            for x, y in spec.centers:
                axes.add_patch(Circle((x, y), 2 * spec.center_std, fill=False, edgecolor="#d62728", zorder=3))
            axes.plot(*centers.T, "x", color="#d62728", markersize=8, label="modes of the data, ○ 2σ", zorder=3)
        axes.plot(*points.T, ".", color="#1f77b4", markersize=3, alpha=0.5, label="generated", zorder=2)
        axes.set_title(title)
        axes.set_xlabel("x₁")
        axes.set_ylabel("x₂")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, markerscale=1.5)
        figure.savefig(path)
