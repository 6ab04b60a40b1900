"""Weights from an earlier training, loaded into a new model where names and shapes agree: `init_from`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError, DataError
from dltool.runs.catalog import as_typed
from dltool.warm_start.source import WeightsSource, read_weights

PREFIXES = ("module.", "_orig_mod.", "model.")  # Of DataParallel, torch.compile, and a Lightning module's network.
NUM_NAMED = 3  # Printed keys of each kind; environment.json has all.


@dataclass(frozen=True)
class WarmStart:
    """The outcome for each key.

    Attributes:
        source: Of the weights.
        num_loaded: Tensors of the model with the source's values, reshaped ones included.
        reshaped: Tensors whose values have another shape in the source: key to the two shapes.
        skipped: Key of the model to the reason why it keeps its initial value.
        unused: Keys of the source without a match in the model.
    """

    source: WeightsSource
    num_loaded: int
    reshaped: dict[str, str]
    skipped: dict[str, str]
    unused: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The entry of environment.json."""
        return {
            "path": str(self.source.path.resolve()),
            "sha256": self.source.sha256,
            "remark": self.source.remark,
            "loaded": self.num_loaded,
            "reshaped": self.reshaped,
            "skipped": self.skipped,
            "unused": self.unused,
        }

    def notes(self) -> list[str]:
        """The same in a few lines, for the user."""
        remark = f" ({self.source.remark})" if self.source.remark else ""
        total = self.num_loaded + len(self.skipped)
        lines = [f"{self.num_loaded} of {total} tensors from {as_typed(self.source.path)}{remark}"]
        for word, whys in (("reshaped", self.reshaped), ("not loaded", self.skipped)):
            if whys:
                lines.append(f"{word}: {shortened([f'{key} ({why})' for key, why in whys.items()])}")
        if self.unused:
            lines.append(f"not used: {shortened(self.unused)}")
        return lines


def warm_start(model: nn.Module, name: str) -> WarmStart:
    """Load the weights that `init_from=name` names into the model, in place: all networks of a GAN, any head that fits.

    A key is matched to the key of the same name, without PREFIXES if it matches only so. It is loaded if the shapes are
    equal, or if one only splits the other's dimensions, so that the numbers and their order are the same:
    a linear layer's (120, 400) and a 5×5 convolution's (120, 16, 5, 5). Optimizer state is not loaded.

    Raises:
        ConfigError: If the name leads nowhere, or no key matches.
        DataError: If the source is damaged, or has values that are not finite.
    """
    source = read_weights(name)
    own = {key: tensor for key, tensor in model.state_dict().items() if isinstance(tensor, Tensor)}
    theirs = by_own_names(source.weights, own)
    reshaped, skipped = {}, {}
    for key, tensor in own.items():
        if key not in theirs:
            skipped[key] = "not in the source"
            continue
        there = source.weights[theirs[key]]
        shapes = f"{tuple(there.shape)} there, {tuple(tensor.shape)} here"
        if there.is_floating_point() != tensor.is_floating_point():
            skipped[key] = f"of another type: {there.dtype} there, {tensor.dtype} here"
        elif not same_order(tuple(there.shape), tuple(tensor.shape)):
            skipped[key] = f"of another shape: {shapes}"
        elif there.is_floating_point() and not torch.isfinite(there).all():
            raise DataError(f"{source.path.resolve()}: {theirs[key]} has NaN or infinite numbers", "another checkpoint")
        elif there.shape != tensor.shape:
            reshaped[key] = shapes
    if len(skipped) == len(own):
        raise nothing_fits(name, type(model).__name__, source, own)
    with torch.no_grad():
        for key in own.keys() - skipped:
            own[key].copy_(source.weights[theirs[key]].reshape(own[key].shape))
    used = {theirs[key] for key in own.keys() - skipped} | {theirs[key] for key in skipped if key in theirs}
    unused = [key for key in source.weights if key not in used]
    return WarmStart(source, len(own) - len(skipped), reshaped, skipped, unused)


def by_own_names(theirs: Collection[str], own: Collection[str]) -> dict[str, str]:
    """Our key to theirs, for all that match; an exact match takes precedence over one without its prefixes."""
    found = {key: key for key in theirs if key in own}
    for key in theirs:
        name = key
        while name not in own and (prefix := next((p for p in PREFIXES if name.startswith(p)), None)):
            name = name.removeprefix(prefix)
        if name in own:
            found.setdefault(name, key)
    return found


def same_order(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether one shape only splits the other's dimensions, ignoring ones: (4, 6) and (4, 2, 3), not (6, 4)."""
    fine, coarse = sorted(([n for n in shape if n != 1] for shape in (left, right)), key=len, reverse=True)
    if fine == coarse:
        return True
    sizes = iter(fine)
    for size in coarse:
        product = 1
        while product < size and (factor := next(sizes, None)) is not None:
            product *= factor
        if product != size:
            return False
    return next(sizes, None) is None


def nothing_fits(name: str, model: str, source: WeightsSource, own: Mapping[str, Tensor]) -> ConfigError:
    there, here = (
        ", ".join(f"{key} {tuple(tensor.shape)}" for key, tensor in list(keys.items())[:NUM_NAMED])
        for keys in (source.weights, own)
    )
    return ConfigError(
        f"init_from={name}: no key of {source.path.resolve()} fits {model} in name and shape; its first are {there}; "
        f"the model's are {here}",
        "name weights of the same model, or choose the model and widths of the weights",
    )


def shortened(items: list[str]) -> str:
    more = len(items) - NUM_NAMED
    return ", ".join(items[:NUM_NAMED]) + (f" and {more} more (environment.json)" if more > 0 else "")
