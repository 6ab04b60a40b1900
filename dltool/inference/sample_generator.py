"""Samples of a run's generative model: by class, by seed, or interpolated between codes."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.randomness import derive_seed, generator
from dltool.core.shell import quoted
from dltool.declarations.sampling_options import checked_options
from dltool.figures.image_grid import image_grid, to_image, to_pixels
from dltool.figures.points import point_scatter
from dltool.figures.saving import Target, save_figure, save_image
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.uses import generates, mixes_styles

BATCH_SIZE = 256  # Batch size of sampling.


class Samples(NamedTuple):
    """Samples of a model.

    Attributes:
        values: Scaled as the training data, `(N, *input_shape)`, on the host.
        names: The file name of each, without suffix: "seed-3", "seed-3_class-7".
        columns: Columns of an image of all samples; None for about as many as rows.
        num_empty: Empty cells of that image before the first sample.
    """

    values: Tensor
    names: list[str]
    columns: int | None = None
    num_empty: int = 0


class SampleGenerator:
    """Generates samples of a run's model; each is a function of its seed, its class and the sampling options.

    Args:
        run: The run of a GAN, an autoencoder or another model with codes.

    Raises:
        ConfigError: The run's model generates no samples.
    """

    def __init__(self, run: LoadedRun) -> None:
        if not generates(run.task):
            raise ConfigError(
                f"{run.title} makes no samples: it is neither a language model nor a generative one",
                f"dltool predict {quoted(run.path)} --input FILE",
            )
        self.run = run
        self.task = run.task

    def samples(
        self,
        count: int,
        *,
        seed: int = 0,
        seeds: Sequence[int] = (),
        classes: Sequence[str | int] = (),
        **options: Any,
    ) -> Samples:
        """Generate samples.

        Args:
            count: The number of samples; ignored if `seeds` are given.
            seed: The first seed: sample i has the seed `seed + i`.
            seeds: One seed per sample, in place of both.
            classes: Names or numbers, used cyclically; empty for all.
            options: Sampling options, which the task's `decode` declares.

        Raises:
            ConfigError: No such class or option exists, the model has no classes, or an option is out of range.
        """
        seeds = list(seeds) or list(range(seed, seed + count))
        options = self._checked(options)
        labels = self._labels(len(seeds), classes)
        parts = [
            self._decode(self._codes(seeds[start : start + BATCH_SIZE]), labels, start, options)
            for start in range(0, len(seeds), BATCH_SIZE)
        ]
        return Samples(torch.cat(parts), self._names(seeds, labels))

    def interpolation(
        self, seeds: Sequence[int], num_samples: int, *, classes: Sequence[str | int] = (), **options: Any
    ) -> Samples:
        """A row of interpolated samples from each seed to the next one, both ends included.

        Args:
            seeds: At least two.
            num_samples: Samples in a row.
            classes: One for each row, used cyclically.
            options: Sampling options.

        Raises:
            ConfigError: There are fewer than two seeds or samples, or as for `samples`.
        """
        if len(seeds) < 2 or num_samples < 2:
            raise ConfigError(
                f"an interpolation needs at least two seeds and two samples, not {len(seeds)} and {num_samples}",
                "--seeds 0-4 --interpolate 8",
            )
        options = self._checked(options)
        shares = torch.linspace(0, 1, num_samples, device=self.run.device)
        labels = self._labels(len(seeds) - 1, classes)
        codes = self._codes(seeds)
        rows, names = [], []
        for i, (start, end) in enumerate(pairwise(seeds)):
            of_row = None if labels is None else labels[i].expand(num_samples)
            with self._drawing():
                rows.append(self.task.interpolate(codes[i], codes[i + 1], shares, of_row, **options).float().cpu())
            names += [f"seed-{start}_to_{end}_{place:02d}" for place in range(num_samples)]
        return Samples(torch.cat(rows), names, num_samples)

    def mixtures(
        self,
        above: Sequence[int],
        left: Sequence[int],
        crossover: int | None = None,
        *,
        classes: Sequence[str | int] = (),
        **options: Any,
    ) -> Samples:
        """A table of mixed styles: a row has the coarse styles of its source at the left, a column the fine ones of
        its source above; with the sources.

        Args:
            above: The seeds of the sources above.
            left: The seeds of the sources at the left.
            crossover: The number of layers with the styles of the left source; None for half of them.
            classes: Of the sources above, then of those at the left, used cyclically.
            options: Sampling options.

        Raises:
            ConfigError: The model has no styles, it has fewer layers, or as for `samples`.
        """
        task = self.task
        if not mixes_styles(task):
            raise ConfigError(f"{self.run.title} has no styles that can be mixed", "dltool train model=stylegan2")
        crossover = task.num_styles // 2 if crossover is None else crossover
        if not 0 <= crossover <= task.num_styles:
            problem = f"--mix {crossover}: {self.run.title} has {task.num_styles} layers with a style"
            raise ConfigError(problem, f"--mix {task.num_styles // 2}, or another number from 0 to {task.num_styles}")
        options = self._checked(options)
        seeds = [*above, *left]
        labels, codes = self._labels(len(seeds), classes), self._codes(seeds)
        sources = self._decode(codes, labels, 0, options)
        names = self._names(seeds, labels)
        table, table_names = [sources[: len(above)]], [f"above_{name}" for name in names[: len(above)]]
        fine, of_fine = codes[: len(above)], None if labels is None else labels[: len(above)]
        for row in range(len(above), len(seeds)):
            coarse = codes[row].expand_as(fine)
            of_coarse = None if labels is None else labels[row].expand(len(above))
            with self._drawing(), self.run.autocast:
                mixed = task.mix(coarse, fine, crossover, (of_coarse, of_fine), **options).float().cpu()
            table += [sources[row : row + 1], mixed]
            table_names += [f"left_{names[row]}", *(f"{names[row]}_with_{name}" for name in names[: len(above)])]
        return Samples(torch.cat(table), table_names, 1 + len(above), num_empty=1)

    def _drawing(self) -> AbstractContextManager[None]:
        return drawing_samples(self.task, derive_seed(0, "samples"))

    def _codes(self, seeds: Sequence[int]) -> Tensor:
        """One code for each seed, independent of the other seeds."""
        return torch.cat([self.task.draw_codes(1, generator(seed, "sample")) for seed in seeds])

    def _decode(self, codes: Tensor, labels: Tensor | None, start: int, options: Mapping[str, Any]) -> Tensor:
        part = None if labels is None else labels[start : start + len(codes)]
        with self._drawing(), self.run.autocast:
            return self.task.decode(codes, part, **options).float().cpu()

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return checked_options(self.run.config["task"]["name"], options, self.run.title)

    def _labels(self, count: int, classes: Sequence[str | int]) -> Tensor | None:
        """The class of each sample, int64 `(count,)`."""
        if not classes:
            return self.task.cycle_labels(count, self.run.device)
        if not self.task.num_classes:
            raise ConfigError(
                f"{self.run.title} was trained without classes, so a class cannot be requested",
                "dltool train model=cgan, or model=dcgan model.condition=every_layer",
            )
        numbers = [self._number(name) for name in classes]
        return torch.tensor([numbers[i % len(numbers)] for i in range(count)], device=self.run.device)

    def _number(self, label: str | int) -> int:
        names = self.run.class_names
        if str(label) in names:
            return names.index(str(label))
        if str(label).isdecimal() and int(label) < len(names):
            return int(label)
        near = nearest(str(label), names)
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise ConfigError(
            f"{self.run.title} has no class {label}; its {len(names)} classes are {shown}",
            f"did you mean --class {quoted(near)}?" if near else f"--class {quoted(names[0])}",
        )

    def _names(self, seeds: Sequence[int], labels: Tensor | None) -> list[str]:
        if labels is None:
            return [f"seed-{seed}" for seed in seeds]
        classes = self.run.class_names
        return [
            f"seed-{seed}_class-{classes[label].replace('/', '-')}"
            for seed, label in zip(seeds, labels.tolist(), strict=True)
        ]


def write_samples(run: LoadedRun, samples: Samples, path: Target) -> None:
    """Draw samples into one image, or, if the path has no suffix, write each to a file of a folder.

    Raises:
        ConfigError: They are not images, or the file or folder cannot be written.
    """
    spec, array = run.spec, samples.values.numpy()
    shape = spec.input_shape
    in_folder = isinstance(path, Path) and (path.is_dir() or not path.suffix)
    if len(shape) != 3 and (shape != (2,) or in_folder):
        raise ConfigError(
            f"samples of {run.spec.describe_input()} numbers are not images",
            "--output FILE.png draws points" if shape == (2,) else "from Python, run.generate(N)",
        )
    try:
        if in_folder:
            for name, pixels in zip(samples.names, to_pixels(array, spec.input_range), strict=True):
                save_image(to_image(pixels), path / f"{name}.png")
        elif len(shape) == 3:
            save_image(image_grid(array, spec.input_range, samples.columns, samples.num_empty), path)
        else:
            save_figure(point_scatter(array, spec.centers, spec.center_std, run.figure_title), path)
    except (OSError, ValueError) as error:  # The suffix is not that of an image format.
        raise ConfigError(f"{path} cannot be written: {error}", "--output FILE.png, or a folder") from error
