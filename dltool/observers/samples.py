"""Pictures of what a generative model makes, one per epoch, always from the same noise."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from dltool.core.randomness import derive_seed, seed_default_generators
from dltool.core.safe_path import SafePath
from dltool.core.spec import DataSpec
from dltool.engine.observer import Observer, Progress
from dltool.figures.drawing import Target, save_figure, save_image
from dltool.figures.fonts import fonts_for
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.task import Task

GRID_SIDE = 8
NUM_POINTS = 2000
GRID_PIXELS = 640
PICTURES_PER_RUN = 50
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2000


class SamplesPlot(Observer):
    """Draws `samples/epoch-0001.png` and so on, for tasks that have samples.

    Images become a grid of 8 × 8; points in the plane a scatter over the modes of the data, with the same axes
    in every picture. Data of other shapes has no picture.

    The first epoch, the end of the training and every n-th epoch between are drawn, or every n-th step; a training that
    is measured in steps, or drawn by them, names its pictures `step-000500.png`. At the end `samples/training.gif`
    shows one after the other, those of the training before a resume too. The training is not changed by it: the
    default generators and the mode of every module are put back.

    Args:
        run_dir: The run folder.
        spec: Of the training data.
        every_n_epochs: None for as many as give about fifty pictures in all.
        every_n_steps: In place of epochs.
        seed: Of the noise, which is the same in every picture, so that one sees the same samples grow.
    """

    def __init__(
        self,
        run_dir: Path,
        spec: DataSpec,
        *,
        every_n_epochs: int | None = None,
        every_n_steps: int | None = None,
        seed: int = 0,
    ) -> None:
        self.folder = SafePath(run_dir) / "samples"
        self.spec = spec
        self.every_n_epochs = every_n_epochs
        self.every_n_steps = every_n_steps
        self.seed = seed
        self._task: Task | None = None
        self._progress = Progress()
        self._has_drawn = False
        self._drawn = 0  # Epoch, or step, of the newest picture.

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        self._drawn = self._position()

    def on_steps(self) -> None:
        self._draw()

    def on_epoch(self) -> None:
        if self.every_n_steps is not None:
            return
        epoch = self._progress.epoch
        if epoch == 1 or epoch % (self.every_n_epochs or self._automatic_period()) == 0:
            self._draw()

    def on_end(self) -> None:
        if self._position() > self._drawn:  # In the middle of an epoch its picture shows the end of the one before.
            self._draw()
        if self._has_drawn:
            with contextlib.suppress(OSError):  # Of a disk that is full, which the training says itself.
                write_gif(sorted(self.folder.path.glob(f"{self._unit()}-*.png")), self.folder / "training.gif")

    def _unit(self) -> str:
        """What pictures are named by."""
        return "step" if self._progress.total_epochs is None or self.every_n_steps is not None else "epoch"

    def _position(self) -> int:
        return self._progress.step if self._unit() == "step" else self._progress.epoch

    def _automatic_period(self) -> int:
        """Epochs between two pictures, also where the length is given in steps."""
        progress = self._progress
        total = progress.total_epochs or progress.total_steps * progress.epoch / max(progress.step, 1)
        return max(math.ceil(total / PICTURES_PER_RUN), 1)

    def _draw(self) -> None:
        progress = self._progress
        if self._unit() == "epoch":
            name, title = f"epoch-{progress.epoch:04d}.png", f"epoch {progress.epoch}"
        else:
            name, title = f"step-{progress.step:06d}.png", f"step {progress.step:,}"
        if self._draw_picture(self.folder / name, title):
            self._drawn, self._has_drawn = self._position(), True

    def _draw_picture(self, path: Target, title: str) -> bool:
        """Draw what the task makes; False where it makes nothing that has a picture."""
        is_image = len(self.spec.input_shape) == 3
        if self._task is None or not (is_image or self.spec.input_shape == (2,)):
            return False
        with drawing_samples(self._task, derive_seed(self.seed, "samples")):
            samples = self._task.samples(GRID_SIDE**2 if is_image else NUM_POINTS)
        if samples is None:
            return False
        array = samples.detach().float().cpu().numpy()
        if is_image:
            draw_image_grid(array, path, self.spec.input_range)
        else:
            draw_points(array, path, self.spec, title)
        return True


def write_gif(pictures: Sequence[Path], path: Target) -> None:
    """Show pictures of one size one after the other, half as large, the last one longest; two at least."""
    from PIL import Image

    if len(pictures) < 2:
        return
    frames = [Image.open(picture).convert("RGB").reduce(2) for picture in pictures]
    frames = [frame for frame in frames if frame.size == frames[-1].size]
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    save_image(frames[0], path, save_all=True, append_images=frames[1:], duration=durations, loop=0)


@contextmanager
def drawing_samples(task: Task, seed: int) -> Iterator[None]:
    """Evaluation mode, no gradients and seeded default generators; all as it was afterwards.

    The mode is kept per module: a frozen batch norm inside a network in training stays in evaluation.
    """
    networks = {task.model, *task.roles.values()}
    parameter = next((p for network in networks for p in network.parameters()), torch.empty(0))
    device = parameter.device
    accelerators = [] if device.type == "cpu" else [device]
    with (
        torch.random.fork_rng(accelerators, device_type=device.type if accelerators else "cuda"),
        torch.no_grad(),
        contextlib.ExitStack() as modes,
    ):
        seed_default_generators(seed, device)
        for network in networks:
            modes.enter_context(evaluation_mode(network))
        yield


def pixels_of(images: np.ndarray, value_range: tuple[float, float] | None) -> np.ndarray:
    """Samples `(N, C, H, W)` as uint8: three channels as RGB, of any other number the first.

    Args:
        images: As the model makes them.
        value_range: What is black and what is white; None for the least and the greatest value.
    """
    low, high = value_range or (images.min(), images.max())
    scaled = np.nan_to_num((images - low) / max(high - low, 1e-12)).clip(0, 1)
    pixels: np.ndarray = (255 * scaled).round().astype(np.uint8)
    return pixels if pixels.shape[1] == 3 else pixels[:, :1]


def write_images(pixels: np.ndarray, paths: Sequence[Target]) -> None:
    """Write each image as a PNG of its own size.

    Args:
        pixels: uint8 `(N, C, H, W)`; C is 1 or 3.
        paths: One for each.
    """
    from PIL import Image

    for image, path in zip(pixels.transpose(0, 2, 3, 1), paths, strict=True):  # (H, W, C)
        save_image(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image), path)


def draw_image_grid(
    images: np.ndarray, path: Target, value_range: tuple[float, float] | None, columns: int | None = None
) -> None:
    """Write images as a grid, enlarged to about 640 pixels without smoothing.

    Args:
        images: `(N, C, H, W)`; one channel is drawn grey, three as RGB, of any other number the first.
        path: Of the PNG.
        value_range: What is black and what is white; None for the least and the greatest value.
        columns: Images in a row; None for about as many as there are rows.
    """
    from PIL import Image

    pixels = pixels_of(images, value_range)
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
    save_image(Image.fromarray(grid.transpose(1, 2, 0).squeeze()), path)


def draw_points(points: np.ndarray, path: Target, spec: DataSpec, title: str) -> None:
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
        save_figure(figure, path)
