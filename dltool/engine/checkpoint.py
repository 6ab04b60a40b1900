"""Checkpoints that are written atomically and verified before they are used.

    checkpoints/step-000123/weights.safetensors   the networks
                            state.safetensors     the tensors of optimizers, averages and sums
                            manifest.json         the rest of the state; the SHA-256 of both files, and its own
    checkpoints/last, checkpoints/best            the name of a folder next to them

A checkpoint is written to a temporary folder, flushed to the disk and renamed. A kill -9 at any moment leaves
the earlier checkpoints and perhaps a temporary folder, which the next start removes.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from dltool.core.errors import CheckpointError
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import MISREAD, decode_object, open_regular, read_json, read_regular, read_text, unreadable
from dltool.core.shell import quoted
from dltool.core.system_errors import reason_of, remedy_of
from dltool.engine.packing import pack, unpack
from dltool.engine.stopping import better
from dltool.trust.sources import trust_flags

FORMAT = 1
WEIGHTS, STATE, MANIFEST = "weights.safetensors", "state.safetensors", "manifest.json"
MAX_POINTER = 200  # Bytes of `last` and `best`.
NAME = re.compile(r"step-\d+(\.\d+)?")


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a checkpoint folder.

    Attributes:
        weights: The model's state_dict.
        state: Everything else that resuming needs.
        metrics: Latest value of each metric when the checkpoint was written.
    """

    path: Path
    step: int
    weights: dict[str, Tensor]
    state: dict[str, Any]
    metrics: dict[str, float]


class CheckpointStore:
    """The checkpoints folder of a run.

    Args:
        keep_last: The number of newest checkpoints that are kept.
        keep_best: The number of best ones that are kept in addition, by `metric` in `direction`.
    """

    def __init__(
        self, folder: Path, *, keep_last: int = 2, keep_best: int = 0, metric: str | None = None, direction: str = "min"
    ) -> None:
        self.folder = folder
        self.keep_last = keep_last
        self.keep_best = keep_best if metric else 0
        self.metric = metric
        self.direction = direction
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.files = SafePath(folder.parent, folder.name)
        self.files.make()
        for stale in folder.glob(".tmp-*"):
            self.discard(stale.name)

    def save(self, step: int, weights: dict[str, Tensor], state: dict[str, Any], metrics: dict[str, float]) -> Path:
        """Commit one checkpoint, then remove those that need not be kept.

        Raises:
            CheckpointError: If it cannot be written (disk full, no permission), after a second try;
                names the last good one. No temporary file is left.
        """
        for attempt in (1, 2):
            try:
                path = self.commit(step, weights, state, metrics)
                self.prune(path)
                return path
            except OSError as error:
                if attempt == 2:
                    raise self.write_error(step, error) from error
        raise AssertionError

    def commit(self, step: int, weights: dict[str, Tensor], state: dict[str, Any], metrics: dict[str, float]) -> Path:
        weight_tensors, weight_tree = pack(weights, "weights")
        state_tensors, state_tree = pack(state)
        files = {
            WEIGHTS: safetensors.torch.save({name.removeprefix("weights."): t for name, t in weight_tensors.items()}),
            STATE: safetensors.torch.save(state_tensors),
        }
        manifest = {
            "format": FORMAT,
            "step": step,
            "metrics": pack(metrics)[1],
            "weights": weight_tree,
            "state": state_tree,
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        manifest["digest"] = digest(manifest)
        files[MANIFEST] = json.dumps(manifest).encode()
        temporary = f".tmp-{step}-{os.getpid()}"
        try:
            for name, content in files.items():
                (self.files / temporary / name).write(content)
            final = self.free_name(step)
            (self.files / temporary).rename(final.name)
        except BaseException:
            self.discard(temporary)
            raise
        self.point("last", final)
        return final

    def free_name(self, step: int) -> Path:
        """step-000123, or step-000123.1 if the same step was saved before (on a signal, then at the end)."""
        name = f"step-{step:06d}"
        taken = [sequence(path)[1] for path in self.folder.glob(f"{name}*") if NAME.fullmatch(path.name)]
        return self.folder / (f"{name}.{max(taken) + 1}" if taken else name)

    def point(self, pointer: str, target: Path) -> None:
        """Replace the text file `last` or `best` atomically."""
        (self.files / pointer).write(f"{target.name}\n")

    def discard(self, name: str) -> None:
        """Remove a file or folder; an OSError is ignored."""
        with contextlib.suppress(OSError):
            (self.files / name).remove()

    def prune(self, newest: Path) -> None:
        """Verify the newest checkpoint, then remove those that are neither among the last nor among the best."""
        verify(newest)
        paths = self.paths()
        ranked = self.best_first()
        if ranked:
            self.point("best", ranked[0])
        kept = {*paths[: self.keep_last], *ranked[: self.keep_best], newest}
        for path in paths:
            if path not in kept:
                trash = f".tmp-{path.name}-{os.getpid()}"
                (self.files / path.name).rename(trash)
                self.discard(trash)

    def paths(self) -> list[Path]:
        """Committed checkpoints, newest first."""
        return committed(self.folder)

    def best_first(self) -> list[Path]:
        """Checkpoints that have the metric, the best first; among equals the older one first."""
        if self.keep_best == 0 or self.metric is None:
            return []
        ranked: list[tuple[float, Path]] = []
        for path in reversed(self.paths()):
            value = saved_metrics(path).get(self.metric)
            if value is not None and better(value, None, self.direction):
                position = next((i for i, (v, _) in enumerate(ranked) if better(value, v, self.direction)), len(ranked))
                ranked.insert(position, (value, path))
        return [path for _, path in ranked]

    def is_among_best(self, value: float) -> bool:
        """Whether a checkpoint with this value would be kept as one of the best."""
        ranked = self.best_first()
        if len(ranked) < self.keep_best:
            return self.keep_best > 0
        return self.keep_best > 0 and better(
            value, saved_metrics(ranked[self.keep_best - 1])[str(self.metric)], self.direction
        )

    def newest(self, warn: Callable[[str], None]) -> Checkpoint | None:
        """See load_newest."""
        return load_newest(self.folder, warn)

    def load(self, path: Path) -> Checkpoint:
        """See load."""
        return load(path)

    def best(self) -> Path | None:
        """The folder that `best` names, or None."""
        pointer = self.folder / "best"
        path = self.folder / read_text(pointer, MAX_POINTER).strip() if pointer.is_file() else None
        return path if path in self.paths() else None

    def last(self) -> Path:
        """The newest checkpoint, of which there must be one."""
        return self.paths()[0]

    def best_or_last(self) -> Path:
        """The best checkpoint; the newest if every evaluation gave NaN."""
        return self.best() or self.last()

    def write_error(self, step: int, error: OSError) -> CheckpointError:
        good = next((path.name for path in self.paths() if is_good(path)), None)
        kept = f"the last good checkpoint is {good}" if good else "no checkpoint exists yet"
        return CheckpointError(
            f"{reason_of(error)} at step {step}: the checkpoint could not be written to "
            f"{self.folder.resolve()}; {kept}",
            f"{remedy_of(error)}, then dltool resume {trust_flags()}{quoted(self.folder.parent)}",
        )


def committed(folder: Path) -> list[Path]:
    """The checkpoints in a run's checkpoint folder, newest first. Raises UnreadableError if the folder is a link."""
    if folder.is_symlink():
        raise unreadable(folder, "a symbolic link")
    # Not a copy, such as step-000079.bak.
    found = [path for path in folder.glob("step-*") if NAME.fullmatch(path.name)]
    return sorted(found, key=sequence, reverse=True)


def load_newest(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest undamaged checkpoint in a folder; None if none was ever committed.

    Args:
        folder: RUN/checkpoints.
        warn: Called with a line about each damaged one that is skipped.

    Raises:
        CheckpointError: If checkpoints exist, but all are damaged: never a silent restart.
    """
    paths = committed(folder)
    for path in paths:
        try:
            return load(path)
        except CheckpointError as error:
            warn(f"{error.message}; falling back to the one before")
    if paths:
        raise CheckpointError(
            f"none of the {len(paths)} checkpoints in {folder.resolve()} is undamaged",
            "restore the folder from a backup, or train again from scratch: dltool train --from RUN",
        )
    return None


def load(path: Path) -> Checkpoint:
    """Read a checkpoint folder, and verify every byte of it.

    Raises:
        CheckpointError: If a file is missing, truncated or changed; names the file.
    """
    with damage_named(path):
        manifest = read_manifest(path)
        weights, state = (tensors_of(path, name, manifest["sha256"][name]) for name in (WEIGHTS, STATE))
        return Checkpoint(
            path,
            int(manifest["step"]),
            unpack(manifest["weights"], {f"weights.{name}": tensor for name, tensor in weights.items()}),
            unpack(manifest["state"], state),
            unpack(manifest["metrics"], {}),
        )


def tensors_of(path: Path, name: str, sha256: str) -> dict[str, Tensor]:
    """The tensors in a file of a checkpoint; the bytes that are verified are those that are decoded."""
    with open_regular(SafePath(path.parent, path.name, name)) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(f"{(path / name).resolve()} is damaged: its SHA-256 differs")
    return safetensors.torch.load(content)


def verify(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint, after verifying that its three files are unchanged."""
    with damage_named(path):
        manifest = read_manifest(path)
        for name in (WEIGHTS, STATE):
            with open_regular(SafePath(path.parent, path.name, name)) as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != manifest["sha256"][name]:
                    raise CheckpointError(f"{(path / name).resolve()} is damaged: its SHA-256 differs")
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint, after verifying its own SHA-256."""
    manifest = decode_object(read_regular(SafePath(path.parent, path.name, MANIFEST)), path / MANIFEST)
    if manifest.pop("digest") != digest(manifest):
        raise CheckpointError(f"{(path / MANIFEST).resolve()} is damaged: its SHA-256 differs")
    if manifest["format"] != FORMAT:
        raise CheckpointError(
            f"{path.resolve()} has checkpoint format {manifest['format']}, this dltool reads {FORMAT}"
        )
    return manifest


@contextlib.contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """In this context an error from the content of a checkpoint becomes a CheckpointError that names it."""
    try:
        yield
    except (OSError, safetensors.SafetensorError, *MISREAD) as error:
        raise CheckpointError(f"{path.resolve()} is damaged: {error}") from error


def is_good(path: Path) -> bool:
    try:
        verify(path)
    except CheckpointError:
        return False
    return True


def saved_metrics(path: Path) -> dict[str, float]:
    """The metrics in a manifest; empty if it cannot be read."""
    try:
        metrics: dict[str, float] = unpack(dict(read_json(path / MANIFEST)["metrics"]), {})
    except (OSError, *MISREAD):
        return {}
    return metrics


def sequence(path: Path) -> tuple[int, int]:
    """(step, repetition) of a folder named step-000123 or step-000123.1."""
    step, _, repetition = path.name.removeprefix("step-").partition(".")
    return int(step), int(repetition or 0)


def digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
