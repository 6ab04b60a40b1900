"""Exports a run's model: one self-describing file, kept only after a check that it gives the same outputs."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dltool.core.errors import ConfigError, RunError
from dltool.core.process import VERSION
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted
from dltool.inference.formats import Format, find_format
from dltool.inference.loaded_run import LoadedRun
from dltool.inference.portable import Portable, bare_networks, chosen_network
from dltool.inference.writers import WRITERS, Computes

FOLDER = "export"  # In the run folder.


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        checkpoint: See Run.described_checkpoint.
        size: Bytes.
        networks: Name to description of inputs and outputs; see Portable.description.
        difference: The largest difference between an output of the file and of the model, over several sizes of
            the batch and lengths of its texts.
        largest: The largest absolute value of an output.
        bound: The allowed difference.
        loaded: Python code that reads the file.
    """

    path: Path
    format: str
    checkpoint: str
    size: int
    networks: dict[str, Any]
    difference: float
    largest: float
    bound: float
    loaded: str


def export_run(
    run: LoadedRun,
    path: Path | None,
    format: str,
    *,
    network: str | None,
    with_preprocessing: bool,
    probabilities: bool,
    force: bool,
) -> Exported:
    """See Run.export."""
    kind = find_format(format)
    if not kind.has_graph and (network is not None or with_preprocessing or probabilities):
        raise ConfigError(
            f"--format {format} contains only the weights of the whole model, and computes nothing", "--format onnx"
        )
    target = path or default_path(run, kind, network)
    check_free(target, force)
    with replaced_whole(target, make_folder=path is None) as temporary:
        if kind.has_graph:
            chosen = chosen_network(run, network, with_preprocessing=with_preprocessing, probabilities=probabilities)
            networks = [chosen]
        else:
            networks = bare_networks(run)
        described = {network.name: network.description() for network in networks}
        content = WRITERS[format].content(run, networks, metadata(run, described))
        write(temporary, content, target)
        difference, largest = compare(networks, WRITERS[format].reopened(run, temporary))
        bound = kind.tolerance * largest
        if not difference <= bound:
            raise RunError(
                f"the {format} file's outputs differ from the model's by up to {difference:.2g}, of outputs up to "
                f"{largest:.2g}; the bound for rounding is {bound:.2g}, so no file is kept",
                "try another --format; an operation of the model differs in this one",
            )
    return Exported(
        target,
        format,
        run.described_checkpoint,
        len(content),
        described,
        difference,
        largest,
        bound,
        kind.loaded(str(target), [name for network in described.values() for name in network if name != "outputs"]),
    )


def default_path(run: LoadedRun, kind: Format, network: str | None) -> Path:
    """RUN/export/<checkpoint>.<suffix>; with the name of the network if there are several."""
    names = list(run.task.networks)
    part = f"_{network or names[0]}" if kind.has_graph and len(names) > 1 else ""
    return run.path / FOLDER / f"{run.checkpoint}{part}{kind.suffix}"


def check_free(target: Path, force: bool) -> None:
    """Raises ConfigError if a file exists that may not be replaced."""
    if target.is_dir():
        raise ConfigError(f"{target.resolve()} is a folder", f"--output {quoted(target / 'model')}")
    if target.exists() and not force:
        raise ConfigError(f"{target.resolve()} exists already", "--force replaces it; --output FILE writes elsewhere")


@contextlib.contextmanager
def replaced_whole(target: Path, *, make_folder: bool) -> Iterator[Path]:
    """A new, empty file next to the target, which replaces it at the end; after an error it is removed.

    Raises:
        ConfigError: No file can be created there.
    """
    temporary = target.with_name(f".{os.getpid()}-{target.name}")  # With its suffix, since some readers rely on it.
    try:
        if make_folder:
            SafePath(target.parent.parent, target.parent.name).make()
        temporary.unlink(missing_ok=True)
        temporary.open("xb").close()
    except OSError as error:
        raise ConfigError(f"{target.absolute()} cannot be written: {error.strerror}", "--output FILE") from error
    try:
        yield temporary
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        if make_folder:
            with contextlib.suppress(OSError):  # It may contain other files.
                target.parent.rmdir()
        raise


def write(path: Path, content: bytes, target: Path) -> None:
    try:
        SafePath(path.parent, path.name).write(content)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise RunError(
            f"{target.absolute()} of {len(content):,} bytes could not be written: {reason}", "--output FILE"
        ) from error


def metadata(run: LoadedRun, networks: dict[str, Any]) -> dict[str, str]:
    """The metadata of the file: strings, most of them JSON.

    It contains only the model's part of the config: the path of a data set is private.
    """
    saved = {
        "model": run.config["model"],
        "networks": networks,
        "class_names": run.class_names,
        "preprocessing": run.folder.read_preprocessing(),
    }
    return {
        "dltool": VERSION,
        "run": run.path.resolve().name,
        "checkpoint": run.checkpoint,
        "averaged": json.dumps(run.averaged),
        **{key: json.dumps(value, ensure_ascii=False) for key, value in saved.items()},
    }


@torch.no_grad()
def compare(networks: Sequence[Portable], others: Sequence[Computes]) -> tuple[float, float]:
    """The largest difference between outputs, and the largest output, over batches of several sizes and lengths.

    Raises:
        RunError: The model's own outputs are not finite, so they cannot be compared.
    """
    difference = largest = 0.0
    for network, other in zip(networks, others, strict=True):
        for inputs in network.batches():
            expected, given = network.module(*inputs), other(*inputs)
            if not expected.isfinite().all():
                raise RunError(
                    f"the outputs of the {network.name} are not finite, so it cannot be exported",
                    "--checkpoint best, or another checkpoint",
                )
            if given.shape != expected.shape:
                raise RunError(f"the file's outputs have the shape {tuple(given.shape)}, not {tuple(expected.shape)}")
            # NaN is a difference too, but Python's max() may ignore it.
            apart = (given - expected).abs().nan_to_num(nan=torch.inf).max().item()
            difference, largest = max(difference, apart), max(largest, expected.abs().max().item())
    return difference, largest
