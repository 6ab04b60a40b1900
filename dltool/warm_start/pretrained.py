"""Published weights put into the architecture that they are of: all but the head must fit, `model.weights`."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dltool.errors import ConfigError, DataError
from dltool.warm_start.published import find_weights, published_digest, torchvision_weights
from dltool.warm_start.source import WeightsSource, read_file
from dltool.warm_start.warm_start import NUM_NAMED, WarmStart, by_own_names

AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")  # Heads of GoogLeNet and Inception v3 that are not built.
COUNTER = "num_batches_tracked"  # Of batch norm; what was saved before 2018 has none.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")  # As torchvision published it: norm.1 for norm1.


def pretrained(model: nn.Module, collection: str, fields: Mapping[str, Any]) -> WarmStart:
    """Load what `model.weights` means into the model, in place.

    The head, the last layer, is taken too where it is for as many classes; else it keeps its initial weights. For a
    network of grey images the first kernels are summed over the colours.

    Args:
        model: Built for the data.
        collection: "torchvision" or "timm".
        fields: The config's `model`: arch, weights, download.

    Raises:
        ConfigError: There are no such weights, or they are of another architecture.
        DataError: They are damaged, hold numbers that are not finite, or could not be fetched.
    """
    arch, weights = fields["arch"], fields["weights"]
    path = find_weights(collection, arch, weights, fields["download"])
    source = read_file(path)
    if collection == "torchvision":
        check_digest(source, arch)
    source.weights.update({renamed(key): source.weights.pop(key) for key in list(source.weights)})
    own = {key: tensor for key, tensor in model.state_dict().items() if isinstance(tensor, Tensor)}
    theirs = {key: source.weights[name] for key, name in by_own_names(source.weights, own).items()}
    used = set(by_own_names(source.weights, own).values())
    first, head = first_kernels(model), head_names(model)
    skipped, reshaped, other = {}, {}, []
    for key, tensor in own.items():
        if key not in theirs:
            skipped[key] = "not there"
        elif theirs[key].shape == tensor.shape:
            check_finite(source, key, theirs[key])
        else:
            shapes = f"{tuple(theirs[key].shape)} there, {tuple(tensor.shape)} here"
            if key == first and is_grey_of(theirs[key].shape, tensor.shape):
                theirs[key], reshaped[key] = theirs[key].sum(dim=1, keepdim=True), f"{shapes}: summed over the colours"
            elif key in head and theirs[key].shape[1:] == tensor.shape[1:]:
                skipped[key] = f"{len(theirs[key])} outputs there, {len(tensor)} here"
            else:
                other.append(f"{key} {shapes}")
    missing = [key for key in skipped if key not in theirs and key not in head and not key.endswith(COUNTER)]
    unused = [key for key in source.weights if key not in used]
    unexpected = [key for key in unused if not key.startswith(AUXILIARY)]
    if missing or unexpected or other:
        raise another_architecture(f"model.weights={weights}", source, arch, missing, unexpected, other)
    with torch.no_grad():
        for key in own.keys() - skipped:
            own[key].copy_(theirs[key])
    return WarmStart(source, len(own) - len(skipped), reshaped, skipped, unused)


def check_digest(source: WeightsSource, arch: str) -> None:
    """A file that has the name of a published one must be that one: raises DataError where it is not."""
    name = source.path.name
    if name not in {url.rpartition("/")[2] for url in torchvision_weights(arch).values()}:
        return
    wanted, found = published_digest(name), source.sha256[name]
    if wanted and not found.startswith(wanted):
        raise DataError(
            f"{source.path.resolve()} is not the file that torchvision publishes by that name: its SHA-256 begins with "
            f"{found[: len(wanted)]}",
            "fetch it again, or give weights of your own another name",
        )


def renamed(key: str) -> str:
    return OLD_DENSENET.sub(r"\1\2", key)


def first_kernels(model: nn.Module) -> str | None:
    """The name of the first convolution's weight."""
    convolutions = (f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Conv2d))
    return next(convolutions, None)


def is_grey_of(theirs: tuple[int, ...], own: tuple[int, ...]) -> bool:
    """Whether kernels are for one channel here and for three there."""
    return len(theirs) == len(own) and own[1] == 1 and theirs[1] == 3 and (own[0], *own[2:]) == (theirs[0], *theirs[2:])


def head_names(model: nn.Module) -> set[str]:
    """The names of the parameters that make the outputs: as timm knows them, or those of the last layer."""
    known = getattr(model, "pretrained_cfg", None)
    heads = known.get("classifier") if isinstance(known, Mapping) else None
    if not heads:
        heads = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    paths = (heads,) if isinstance(heads, str) else tuple(heads)
    return {f"{path}.{name}" for path in paths for name, _ in model.get_submodule(path).named_parameters()}


def check_finite(source: WeightsSource, key: str, tensor: Tensor) -> None:
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise DataError(f"{source.path.resolve()}: {key} has NaN or infinite numbers", "another file")


def another_architecture(
    setting: str, source: WeightsSource, arch: str, missing: list[str], unexpected: list[str], other: list[str]
) -> ConfigError:
    kinds = {"missing": missing, "not of this architecture": unexpected, "of another shape": other}
    differences = "; ".join(f"{len(keys)} {kind} ({first_few(keys)})" for kind, keys in kinds.items() if keys)
    hint = f"model.arch=… of those weights; init_from={source.path} takes what fits of them"
    if not missing and not unexpected and all("pos" in key for key in other):
        hint = "these weights are for images of another size: data.resize=224 (of a folder of images, data.size=224)"
    return ConfigError(
        f"{setting}: {source.path.resolve()} has not the weights of {arch}: of its keys {differences}", hint
    )


def first_few(keys: list[str]) -> str:
    return ", ".join(keys[:NUM_NAMED]) + (", …" if len(keys) > NUM_NAMED else "")
