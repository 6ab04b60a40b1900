"""The source that `init_from` names: a run, one of its checkpoints, or a file of tensors; found, read, and checked.

A run's weights are those of its newest checkpoint, averaged if it kept an average, as in its test. Reading
runs no code: safetensors contain none, and a pickled file is read only by torch's restricted unpickler.
"""

import hashlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from dltool.core.errors import CheckpointError, ConfigError, DataError
from dltool.core.process import OUTPUT_ROOT
from dltool.core.shell import setting
from dltool.engine.checkpoint import MANIFEST, STATE, WEIGHTS, load
from dltool.engine.named_checkpoints import CHECKPOINTS, POINTERS, find_checkpoint, weights_in_use
from dltool.runs.catalog import find_run, is_run

PICKLED = (".pt", ".pth", ".bin", ".ckpt")
SUFFIXES = (".safetensors", *PICKLED)
# Where a training's file keeps the weights; if there are two, timm's averaged ones come first.
NESTS = ("state_dict_ema", "state_dict", "model_state_dict", "model", "weights")
SAVE_TENSORS = "save only the tensors where the file was made: torch.save(model.state_dict(), FILE)"


@dataclass(frozen=True)
class WeightsSource:
    """Weights by name, and their source.

    Attributes:
        path: The file, or the checkpoint's folder.
        weights: Name to tensor, on the CPU.
        sha256: Name of each file that was read to its SHA-256.
        remark: What a reader should know about them, such as "its ema average"; may be empty.
    """

    path: Path
    weights: dict[str, Tensor]
    sha256: dict[str, str]
    remark: str = ""


def read_weights(name: str) -> WeightsSource:
    """The weights that `init_from=name` names.

    Raises:
        ConfigError: If the name leads to no weights.
        DataError: If its target is damaged, or cannot be read without running code.
    """
    path = locate(name)
    return read_checkpoint(path) if path.is_dir() else read_file(path)


def locate(name: str) -> Path:
    """The file or checkpoint folder that a path names, or a run's unique name and the path below it."""
    path = Path(name).expanduser()
    if not path.exists():
        if path.suffix in SUFFIXES:
            message = f"init_from={name}: {path.resolve()} does not exist"
            raise ConfigError(message, "name a file by its path from the working directory, or a run")
        run, below = path, ""
        if CHECKPOINTS in path.parts:  # RUN/checkpoints/best, with RUN as a name.
            position = path.parts.index(CHECKPOINTS)
            run, below = Path(*path.parts[:position]), str(Path(*path.parts[position:]))
        try:
            path = find_run(str(run), OUTPUT_ROOT) / below
        except ConfigError as error:
            raise ConfigError(f"init_from={name}: {error.message}", error.hint) from error
        if not path.exists():
            return named_checkpoint(path)
    if path.parent.name == CHECKPOINTS and path.name in POINTERS:
        return named_checkpoint(path)
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return path
        if is_run(path):
            return named_checkpoint(path / CHECKPOINTS / "last")
        message = f"init_from={name}: {path.resolve()} is neither a run folder nor a checkpoint"
        raise ConfigError(message, "`dltool runs` lists the run folders; RUN/checkpoints/best names a checkpoint")
    if path.suffix not in SUFFIXES or not path.is_file():
        message = f"init_from={name}: {path.resolve()} is not a file of weights; they end in {', '.join(SUFFIXES)}"
        raise ConfigError(message, "name a run, a checkpoint's folder or such a file")
    return path


def named_checkpoint(path: Path) -> Path:
    """The folder that RUN/checkpoints/last, best or step-000123 names."""
    try:
        return find_checkpoint(path.parent, path.name, lambda one: setting("init_from", path.parent / one))
    except ConfigError as error:
        raise ConfigError(f"init_from: {error.message}", error.hint) from error


def read_checkpoint(path: Path) -> WeightsSource:
    try:
        checkpoint = load(path)
    except CheckpointError as error:
        others = sorted(other for other in path.parent.glob("step-*") if other != path)
        hint = setting("init_from", others[-1]) if others else "name another run or file"
        raise DataError(f"init_from: {error.message}", hint) from error
    files = {name: digest(path / name) for name in (WEIGHTS, STATE)}
    weights, remark = weights_in_use(checkpoint)
    return WeightsSource(path, weights, files, remark)


def read_file(path: Path) -> WeightsSource:
    """Read a file of tensors: safetensors, or by torch.save, with the weights at its top level or in one of NESTS."""
    try:
        sha256 = {path.name: digest(path)}
        content = safetensors.torch.load_file(path) if path.suffix not in PICKLED else unpickle(path)
    except OSError as error:
        raise DataError(f"{path.resolve()} cannot be read: {error.strerror or error}", "check the path") from error
    except (SafetensorError, ValueError) as error:
        raise damaged(path, error) from error
    nests = []
    while isinstance(content, Mapping):
        nest = next((key for key in NESTS if isinstance(content.get(key), Mapping)), None)
        if nest is None:
            break
        content = content[nest]
        nests.append(nest)
    weights = content if isinstance(content, Mapping) else {}
    weights = {str(name): tensor.detach() for name, tensor in weights.items() if is_dense(tensor)}
    if not weights:
        message = f"{path.resolve()} has no named weights: neither at its top level nor under {', '.join(NESTS)}"
        raise DataError(message, SAVE_TENSORS)
    return WeightsSource(path, weights, sha256, f"under {'.'.join(nests)}" if nests else "")


def is_dense(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and not (value.is_quantized or value.is_meta)


def unpickle(path: Path) -> Any:
    """The content of a torch.save file that has only tensors and plain values: everything else is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Caused by the storages of torch's old format.
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Invalid data can fail anywhere in the unpickler.
        if asked := re.search(r"(?i)unsupported (?:global:? )+([\w.]+)|(TorchScript)", str(error)):
            what = asked[1] or asked[2]
            message = f"{path.resolve()} contains {what} in addition to tensors, and reading that could run code"
            raise DataError(message, SAVE_TENSORS) from error
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> DataError:
    known = isinstance(error, SafetensorError | RuntimeError)
    reason = f": {str(error).splitlines()[0].partition('. ')[0]}" if known and str(error) else ""
    return DataError(f"{path.resolve()} is damaged, or not a file of weights{reason}", "copy or save it again")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
