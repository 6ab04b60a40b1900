"""The weights that torchvision and timm publish: in their caches or, on request, from their servers."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

from dltool.core.errors import ConfigError, DataError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.warm_start.source import SUFFIXES


def find_weights(collection: str, arch: str, weights: str, download: bool) -> Path:
    """The file that `model.weights` names.

    Args:
        collection: The publisher, "torchvision" or "timm".
        arch: The architecture of the weights.
        weights: A name, or the path of a file.
        download: Whether it may be downloaded.

    Raises:
        ConfigError: If there is no such name or file, or it would have to be downloaded.
        DataError: If the download failed.
    """
    if os.sep in weights or Path(weights).suffix in SUFFIXES:
        path = Path(weights).expanduser()
        if not path.is_file() or path.suffix not in SUFFIXES:
            what = "is not a file of weights" if path.exists() else "does not exist"
            raise ConfigError(
                f"model.weights={weights}: {path.resolve()} {what}",
                f"name one by its path from the working directory; they end in {', '.join(SUFFIXES)}",
            )
        return path
    return {"torchvision": torchvision_file, "timm": timm_file}[collection](arch, weights, download)


def torchvision_file(arch: str, weights: str, download: bool) -> Path:
    """A set of torchvision's weights, in the folder where torch.hub keeps them."""
    import torch

    published = torchvision_weights(arch)
    if weights not in published:
        raise no_such_name("torchvision", arch, weights, list(published))
    url = published[weights]
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    if not download:
        raise not_there(weights, str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        bar = sys.stderr.isatty()
        torch.hub.download_url_to_file(url, str(path), hash_prefix=published_digest(path.name), progress=bar)
    except (OSError, RuntimeError) as error:  # RuntimeError if the digest differs.
        raise failed(url, str(path), error) from error
    return path


def torchvision_weights(arch: str) -> dict[str, str]:
    """Name to URL of the weights of an architecture; DEFAULT names the best of them."""
    from torchvision.models import get_model_weights

    return {name: member.value.url for name, member in get_model_weights(arch).__members__.items()}


def published_digest(name: str) -> str | None:
    """The first digits of the SHA-256 at the end of a published file's name, `resnet18-f37072fd.pth`."""
    import torch

    digits = torch.hub.HASH_REGEX.search(name)
    return digits[1] if digits else None


def timm_file(arch: str, weights: str, download: bool) -> Path:
    """A set of timm's weights, in the folder where huggingface_hub keeps them."""
    import timm
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    plain, _, tag = arch.partition(".")
    published = {name.partition(".")[2]: name for name in timm.list_pretrained(f"{plain}.*")}
    default: Any = timm.get_pretrained_cfg(arch)  # None for a network without weights.
    full = getattr(default, "tag", None) if weights == "DEFAULT" else weights
    if full not in published or (tag and tag != full):
        raise no_such_name("timm", arch, weights, ["DEFAULT", *([tag] if tag else published)])
    own: Any = timm.get_pretrained_cfg(published[full])
    names = [own.hf_hub_filename] if own.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]
    for name in names:
        if isinstance(found := try_to_load_from_cache(own.hf_hub_id, name), str):
            return Path(found)
    if not download:
        raise not_there(weights, f"{own.hf_hub_id}, {' or '.join(names)}, in Hugging Face's cache,")
    try:
        return Path(hf_hub_download(own.hf_hub_id, names[0]))
    except Exception as error:  # Several packages may raise, depending on the connection.
        raise failed(f"{own.hf_hub_id}, {names[0]},", "Hugging Face's cache", error) from error


def no_such_name(collection: str, arch: str, weights: str, names: list[str]) -> ConfigError:
    near = nearest(weights, [name.lower() for name in names])
    meant = [f"did you mean {setting('model.weights', name)}?" for name in names if name.lower() == near]
    return ConfigError(
        f"model.weights={weights}: {collection} has no such weights for {arch}; it has {', '.join(names) or 'none'}",
        meant[0] if meant else f"a file ends in {', '.join(SUFFIXES)}; a run is named by init_from=RUN",
    )


def not_there(weights: str, place: str) -> ConfigError:
    return ConfigError(
        f"model.weights={weights}: {place} does not exist, and nothing is downloaded unasked",
        "model.download=true downloads it, from the command line only; or model.weights=FILE",
    )


def failed(what: str, path: str, error: Exception) -> DataError:
    reason = error.reason if isinstance(error, URLError) else error
    return DataError(
        f"download of {what} to {path} failed: {' '.join(str(reason).split()) or type(error).__name__}",
        "download it by other means: model.weights=FILE",
    )
