"""The one place where pictures are written: a figure or an image, to a file of the user's or into a run folder."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.core.safe_path import SafePath

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.figure import Figure
    from PIL import Image

Target = Path | SafePath  # Where a picture goes: a file of the user's choice, or one in a run folder.
# File name to what draws that picture: a figure, or None where there is nothing to draw.
Pictures = Mapping[str, "Callable[[], Figure | None]"]
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2000


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


def save_pictures(pictures: Pictures, folder: Target) -> list[str]:
    """Draw and write what can be drawn; a picture that cannot be is a warning, for it must not end a run.

    Args:
        pictures: File name to what draws it.
        folder: Made where it is missing; where there is nothing to draw, the file of an earlier time is removed.

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
            warnings.warn(f"{path} could not be drawn: {error}", stacklevel=2)
    return saved


def discard(target: Target) -> None:
    """Remove a picture that no longer holds, if there is one."""
    target.unlink(missing_ok=True) if isinstance(target, Path) else target.remove()


def save_film(pictures: Sequence[Path], target: Target) -> None:
    """Write a GIF of pictures of one size one after the other, half as large, the last one longest; two at least."""
    from PIL import Image

    if len(pictures) < 2:
        return
    frames = [Image.open(picture).convert("RGB").reduce(2) for picture in pictures]
    frames = [frame for frame in frames if frame.size == frames[-1].size]
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    save_image(frames[0], target, save_all=True, append_images=frames[1:], duration=durations, loop=0)
