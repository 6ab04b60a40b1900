"""Writes figures and images, to a file chosen by the user or into a run folder."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.core.notices import FigureWarning
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import read_regular

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure
    from PIL import Image

Target = Path | SafePath  # The output: a file chosen by the user, or one in a run folder.
# File name to the function that returns its figure, or None if there is nothing to draw.
Pictures = Mapping[str, "Callable[[], Figure | None]"]
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2000


def save_figure(figure: "Figure", target: Target) -> None:
    """Write a figure, and create its folder. In a run folder it is a PNG, else the format is that of the suffix."""
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target)
        return
    png = io.BytesIO()
    figure.savefig(png, format="png")
    target.write_bytes(png.getvalue())


def save_image(image: "Image.Image", target: Target, **options: Any) -> None:
    """The same for a PIL image; `options` are passed to its `save`, for a GIF."""
    if isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, **options)
        return
    content = io.BytesIO()
    image.save(content, format=target.path.suffix.removeprefix("."), **options)
    target.write_bytes(content.getvalue())


def save_pictures(pictures: Pictures, folder: Target) -> list[str]:
    """Draw and write figures. A figure that cannot be drawn causes a warning, since it must not end a run.

    Args:
        pictures: File name to the function that draws it.
        folder: Created if it does not exist; if there is nothing to draw, an earlier file of that name is removed.

    Returns:
        The names of the files written.
    """
    saved = []
    for name, draw in pictures.items():
        path = folder / name
        try:
            if (figure := draw()) is None:
                discard(path)
            else:
                save_figure(figure, path)
                saved.append(name)
        except Exception as error:
            warnings.warn(f"{path} could not be drawn: {error}", FigureWarning, stacklevel=2)
    return saved


def discard(target: Target) -> None:
    """Remove an outdated file, if it exists."""
    target.unlink(missing_ok=True) if isinstance(target, Path) else target.remove()


def save_film(pictures: Sequence[Path], target: Target) -> None:
    """Write a GIF of at least two images of one size, reduced to half; the last one is shown longest."""
    from PIL import Image

    if len(pictures) < 2:
        return
    frames = [Image.open(io.BytesIO(read_regular(picture))).convert("RGB").reduce(2) for picture in pictures]
    save_animation([frame for frame in frames if frame.size == frames[-1].size], target)


def save_animation(frames: "Sequence[Image.Image]", target: Target) -> None:
    """Write images of one size as a GIF; nothing for fewer than two. The last one is shown longest."""
    if len(frames) < 2:
        return
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    save_image(frames[0], target, save_all=True, append_images=frames[1:], duration=durations, loop=0)
