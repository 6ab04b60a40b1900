"""What an autoencoder's run makes again of raw samples."""

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
    """Samples and what is left of them after their way through a code.

    Attributes:
        names: What each sample is called, such as its file.
        originals: As the model takes them, on the CPU, `(N, *input_shape)`.
        reconstructions: Of the same shape.
        codes: Between the two, `(N, latent_dim)`.
        title: Of the run.
    """

    names: list[str]
    originals: Tensor
    reconstructions: Tensor
    codes: Tensor
    title: str
    _preprocessing: Preprocessing

    def draw(self, path: str | Target) -> None:
        """Draw rows of images, below each its reconstruction.

        Raises:
            ConfigError: The samples are no images, or the file cannot be written.
        """
        target = Path(path).expanduser() if isinstance(path, str) else path
        if not self._preprocessing.gives_pixels:
            raise ConfigError(
                "rows of numbers are no picture", "in Python: dltool.load(RUN).reconstruct(FILE).reconstructions"
            )
        to_pixels = self._preprocessing.pixels
        before, after = (to_pixels(part).float().numpy() for part in (self.originals, self.reconstructions))
        try:
            save_figure(reconstructed_images(before, after, self.title), target)
        except (OSError, ValueError) as error:  # Of a suffix that is no picture's.
            raise ConfigError(f"{target} cannot be written: {error}", "--output FILE.png") from error


def reconstruct_run(run: LoadedRun, inputs: Raw, classes: Sequence[str] | None = None) -> Reconstruction:
    """See Run.reconstruct."""
    task = run.task
    if not reconstructs(task):
        raise ConfigError(
            f"{run.title} has no codes from which it could make its inputs again",
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
    return Reconstruction(names, originals, reconstructions, codes, run.title, run.preprocessing)


def labels_of(names: Sequence[str], classes: Sequence[str] | None, run: LoadedRun) -> Tensor:
    """The class of each sample, which a conditional model wants to know: as given, else its folder's name.

    Raises:
        DataError: There is no such class, or none is known.
    """
    classes = [Path(name).parent.name for name in names] if classes is None else classes
    if len(classes) != len(names):
        raise DataError(f"{len(names)} samples have {len(classes)} classes", "one a sample")
    for name, class_name in zip(names, classes, strict=True):
        if class_name not in run.class_names:
            shown = ", ".join(run.class_names[:8]) + (" …" if run.class_names[8:] else "")
            raise DataError(
                f"{name}: the model is conditional, and {class_name or 'its folder'} is none of its classes, {shown}",
                "each image in a folder with its class's name; in Python, run.reconstruct(inputs, classes=[…])",
            )
    return torch.tensor([run.class_names.index(name) for name in classes], device=run.device)
