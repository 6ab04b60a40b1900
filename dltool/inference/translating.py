"""Translates images from one domain to another with a run that was trained for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.safe_path import SafePath
from dltool.data.image_inputs import find_images
from dltool.data.raw_inputs import Raw, as_paths
from dltool.figures.image_grid import to_image
from dltool.figures.saving import Target, save_image
from dltool.inference.loaded_run import LoadedRun
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.uses import TranslatesImages, translates_images

Direction = Literal["A2B", "B2A"]


@dataclass(frozen=True)
class Translations:
    """Translated images.

    Attributes:
        names: The source of each: the path of a file, or the number of an image in memory.
        images: uint8 `(N, C, H, W)`.
        direction: "A2B" or "B2A".
        sources: The absolute paths of the source files; empty for images in memory.
    """

    names: list[str]
    images: Tensor
    direction: Direction
    sources: tuple[Path, ...] = ()

    def write(self, folder: Target, *, replace: bool = False) -> list[Path]:
        """Write a PNG for each, named after its source.

        Args:
            folder: The target folder, a SafePath below a run folder; created if it does not exist.
            replace: Whether existing files may be replaced; source files never are.

        Raises:
            ConfigError: A file would be replaced without permission; nothing is written then.
        """
        paths = [folder / name for name in file_names(self.names)]
        for path in paths:
            if Path(str(path)).resolve() in self.sources or (path.exists() and not replace):
                raise ConfigError(f"{path} exists and would be overwritten", "--output ANOTHER_FOLDER")
        try:
            folder.make() if isinstance(folder, SafePath) else folder.mkdir(parents=True, exist_ok=True)
            for pixels, path in zip(self.images.numpy(), paths, strict=True):
                save_image(to_image(pixels), path)
        except OSError as error:
            raise ConfigError(
                f"{folder}: {error.strerror or error}", "--output FOLDER that can be written to"
            ) from error
        return [Path(str(path)) for path in paths]


def file_names(names: list[str]) -> list[str]:
    """`<stem>.png` for each; for a repeated stem, `<stem>-2.png` and so on."""
    taken: set[str] = set()
    files = []
    for name in names:
        stem, number = Path(name).stem, 1
        file = f"{stem}.png"
        while file in taken:
            number += 1
            file = f"{stem}-{number}.png"
        taken.add(file)
        files.append(file)
    return files


def translator_of(run: LoadedRun) -> TranslatesImages:
    """The task of a run that translates images; raises ConfigError for other runs."""
    if not translates_images(run.task):
        raise ConfigError(
            f"{run.title} translates no images, so --direction does not apply",
            "without --direction; `dltool train model=cyclegan` trains a model that translates",
        )
    return run.task


def translate_run(run: LoadedRun, inputs: Raw, direction: Direction) -> Translations:
    """See Run.translate."""
    task = translator_of(run)
    if direction not in task.directions:
        raise ConfigError(f"direction {direction!r}: the directions are {', '.join(task.directions)}")
    preprocessing = run.preprocessing
    names: list[str] = []
    parts: list[Tensor] = []
    with evaluation_mode(run.model), torch.no_grad(), run.autocast:
        for batch_names, batch in preprocessing.read(inputs, run.batch_size):
            names += batch_names
            made = task.translate(batch.to(run.device), direction)
            parts.append(preprocessing.pixels(made).round().to(torch.uint8).cpu())
    if not parts:
        raise DataError("there is no image to translate")
    paths = as_paths(inputs)
    sources = () if paths is None else tuple(path.resolve() for path in find_images(paths))
    return Translations(names, torch.cat(parts), direction, sources)
