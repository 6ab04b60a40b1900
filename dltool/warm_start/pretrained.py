"""Published weights loaded into their own architecture: all except the head must fit, `model.weights`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import setting
from dltool.warm_start.published import find_weights, published_digest, torchvision_weights
from dltool.warm_start.source import WeightsSource, read_file
from dltool.warm_start.warm_start import NUM_NAMED, WarmStart, by_own_names

AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")  # Heads of GoogLeNet and Inception v3 that are not built.
COUNTER = "num_batches_tracked"  # Of batch norm; files saved before 2018 lack it.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")  # As torchvision published it: norm.1 for norm1.


def pretrained(model: nn.Module, collection: str, fields: Mapping[str, Any]) -> WarmStart:
    """Load the weights that `model.weights` names into the model, in place.

    The head, the last layer, is loaded too if it has the same number of classes; else it keeps its initial weights. For
    a network of grey images the first kernels are summed over the colours.

    Args:
        model: Built for the data.
        collection: "torchvision" or "timm".
        fields: The config's `model`: arch, weights, download.

    Raises:
        ConfigError: If there are no such weights, or they belong to another architecture.
        DataError: If they are damaged, not finite, or could not be downloaded.
    """
    source = read_published(collection, fields)
    names = by_own_names(source.weights, model.state_dict())
    theirs = {key: source.weights[name] for key, name in names.items()}
    own = {key: t for key, t in model.state_dict().items() if key in theirs or not key.endswith(COUNTER)}
    reshaped = {}
    if (first := first_kernels(model)) in theirs and is_grey_of(theirs[first].shape, own[first].shape):
        reshaped[first] = f"{shapes(theirs[first], own[first])}: summed over the colours"
        theirs[first] = theirs[first].sum(dim=1, keepdim=True)  # (F, 3, K, K) -> (F, 1, K, K)
    head = head_names(model)
    skipped = {}
    for key in head:
        if key not in theirs:
            skipped[key] = "not in the file"
        elif theirs[key].shape != own[key].shape and theirs[key].shape[1:] == own[key].shape[1:]:
            skipped[key] = f"{len(theirs[key])} outputs there, {len(own[key])} here"
    unused = [name for name in source.weights if name not in names.values()]
    check_architecture(
        fields,
        source,
        missing=[key for key in own if key not in theirs and key not in head],
        unexpected=[name for name in unused if not name.startswith(AUXILIARY)],
        other=[
            f"{key} {shapes(theirs[key], own[key])}"
            for key in own
            if key in theirs and key not in skipped and theirs[key].shape != own[key].shape
        ],
    )
    with torch.no_grad():
        for key in own.keys() - skipped:
            check_finite(source, key, theirs[key])
            own[key].copy_(theirs[key])
    return WarmStart(source, len(own) - len(skipped), reshaped, skipped, unused)


def read_published(collection: str, fields: Mapping[str, Any]) -> WeightsSource:
    """The weights that `model.weights` names, under the architecture's current parameter names."""
    source = read_file(find_weights(collection, fields["arch"], fields["weights"], fields["download"]))
    if collection == "torchvision":
        check_digest(source, fields["arch"])
    weights = {OLD_DENSENET.sub(r"\1\2", name): tensor for name, tensor in source.weights.items()}
    return replace(source, weights=weights)


def check_digest(source: WeightsSource, arch: str) -> None:
    """Raise DataError if a file with the name of a published one has other content."""
    name = source.path.name
    if name not in {url.rpartition("/")[2] for url in torchvision_weights(arch).values()}:
        return
    wanted, found = published_digest(name), source.sha256[name]
    if wanted and not found.startswith(wanted):
        raise DataError(
            f"{source.path.resolve()} is not the file that torchvision publishes under that name: its SHA-256 starts "
            f"{found[: len(wanted)]}",
            "download it again, or give your own weights another name",
        )


def first_kernels(model: nn.Module) -> str | None:
    """The name of the first convolution's weight."""
    convolutions = (f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Conv2d))
    return next(convolutions, None)


def is_grey_of(theirs: tuple[int, ...], own: tuple[int, ...]) -> bool:
    """Whether kernels have one channel here and three there."""
    return len(theirs) == len(own) and own[1] == 1 and theirs[1] == 3 and (own[0], *own[2:]) == (theirs[0], *theirs[2:])


def head_names(model: nn.Module) -> list[str]:
    """The names of the output layer's parameters: as timm declares them, or those of the last layer."""
    known = getattr(model, "pretrained_cfg", None)
    heads = known.get("classifier") if isinstance(known, Mapping) else None
    if not heads:
        heads = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    paths = (heads,) if isinstance(heads, str) else tuple(heads)
    return [f"{path}.{name}" for path in paths for name, _ in model.get_submodule(path).named_parameters()]


def check_finite(source: WeightsSource, key: str, tensor: Tensor) -> None:
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise DataError(f"{source.path.resolve()}: {key} has NaN or infinite numbers", "another file")


def check_architecture(
    fields: Mapping[str, Any], source: WeightsSource, *, missing: list[str], unexpected: list[str], other: list[str]
) -> None:
    """Raises ConfigError if any key differs, with the first few of each kind."""
    if not (missing or unexpected or other):
        return
    kinds = {"missing": missing, "not of this architecture": unexpected, "of another shape": other}
    differences = "; ".join(f"{len(keys)} {kind} ({first_few(keys)})" for kind, keys in kinds.items() if keys)
    fitting = f"{setting('init_from', source.path)} without model.weights loads only what fits"
    hint = f"model.arch=… of those weights; or {fitting}"
    if not missing and not unexpected and all("pos" in key for key in other):
        hint = "these weights are for images of another size: data.resize=224 (for a folder of images, data.size=224)"
    raise ConfigError(
        f"model.weights={fields['weights']}: {source.path.resolve()} does not have the weights of {fields['arch']}: of "
        f"its keys {differences}",
        hint,
    )


def shapes(there: Tensor, here: Tensor) -> str:
    return f"{tuple(there.shape)} there, {tuple(here.shape)} here"


def first_few(keys: list[str]) -> str:
    return ", ".join(keys[:NUM_NAMED]) + (", …" if len(keys) > NUM_NAMED else "")
