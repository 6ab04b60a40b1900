"""Reconstructs raw samples with an autoencoder's run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import quoted
from dltool.data.preprocessing import Preprocessing
from dltool.data.raw_inputs import Raw
from dltool.figures.reconstructions import reconstructed_images
from dltool.figures.saving import Target, save_figure
from dltool.inference.loaded_run import LoadedRun
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.uses import reconstructs


@dataclass(frozen=True)
class Reconstruction:
    """Samples and their reconstructions from codes.

    Attributes:
        names: The name of each sample, such as its file.
        originals: The model's inputs, on the CPU, `(N, *input_shape)`.
        reconstructions: Tensor of the same shape.
        codes: The codes, `(N, latent_dim)`.
        title: The title of the run, in the language of the figures.
    """

    names: list[str]
    originals: Tensor
    reconstructions: Tensor
    codes: Tensor
    title: str
    _preprocessing: Preprocessing

    def draw(self, path: str | Target) -> None:
        """Draw rows of images, with the reconstructions below.

        Raises:
            ConfigError: The samples are not images, or the file cannot be written.
        """
        target = Path(path).expanduser() if isinstance(path, str) else path
        if not self._preprocessing.gives_pixels:
            raise ConfigError(
                "rows of numbers cannot be drawn as images",
                "in Python: dltool.load(RUN).reconstruct(FILE).reconstructions",
            )
        to_pixels = self._preprocessing.pixels
        before, after = (to_pixels(part).float().numpy() for part in (self.originals, self.reconstructions))
        try:
            save_figure(reconstructed_images(before, after, self.title), target)
        except (OSError, ValueError) as error:  # The suffix is not that of an image format.
            raise ConfigError(f"{target} cannot be written: {error}", "--output FILE.png") from error


def reconstruct_run(run: LoadedRun, inputs: Raw, classes: Sequence[str] | None = None) -> Reconstruction:
    """See Run.reconstruct."""
    task = run.task
    if not reconstructs(task):
        raise ConfigError(
            f"{run.title} has no codes from which it could reconstruct its inputs",
            f"dltool sample or dltool predict {quoted(run.path)}; model=autoencoder and model=vae reconstruct",
        )
    names: list[str] = []
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    with evaluation_mode(task.model), torch.no_grad(), run.autocast:
        for batch_names, batch in run.preprocessing.read(inputs, run.batch_size):
            given = None if classes is None else classes[len(names) : len(names) + len(batch_names)]
            labels = labels_of(batch_names, given, run) if task.num_classes else None
            batch = batch.to(run.device)
            names += batch_names
            codes = task.codes(batch, labels)
            parts.append((batch.cpu(), task.decode(codes, labels).cpu(), codes.cpu()))
    if not parts:
        raise DataError("there is no input to reconstruct")
    originals, reconstructions, codes = map(torch.cat, zip(*parts, strict=True))
    return Reconstruction(names, originals, reconstructions, codes, run.figure_title, run.preprocessing)


def labels_of(names: Sequence[str], classes: Sequence[str] | None, run: LoadedRun) -> Tensor:
    """The class of each sample for a conditional model: as given, else the name of its folder.

    Raises:
        DataError: A class does not exist, or none is given.
    """
    classes = [Path(name).parent.name for name in names] if classes is None else classes
    if len(classes) != len(names):
        raise DataError(f"{len(names)} samples have {len(classes)} classes", "give one class per sample")
    for name, class_name in zip(names, classes, strict=True):
        if class_name not in run.class_names:
            shown = ", ".join(run.class_names[:8]) + (" …" if run.class_names[8:] else "")
            given = class_name or "its folder"
            raise DataError(
                f"{name}: the model is conditional, and {given} is not one of its classes, {shown}",
                "put each image in a folder named after its class; in Python, run.reconstruct(inputs, classes=[…])",
            )
    return torch.tensor([run.class_names.index(name) for name in classes], device=run.device)
