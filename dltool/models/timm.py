"""timm's image classifiers (Wightman, "PyTorch Image Models"), with outputs for the data's classes."""

import importlib.util
from typing import Any

import torch
from torch import nn

from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.declarations.component import register
from dltool.models.trial import built_for


@register(
    "model",
    "timm",
    inputs="image",
    min_size=64,
    native_size=64,
    photo_size=224,
    tasks=("supervised",),
    published_by="timm",
)
def timm_model(
    spec: DataSpec,
    *,
    arch: str = "resnet18",
    weights: str | None = None,
    download: bool = False,
) -> nn.Module:
    """A classifier of the package timm, as timm.create_model builds it for the data's classes, channels and size.

    Images smaller than 64×64 are resized to that. An architecture that does not accept the size raises an error; the
    hint has the size of its published weights.

    Args:
        spec: Gives the classes, the channels and the size of the images.
        arch: A name of timm.list_models(), with or without the tag of a set of weights: resnet18, resnet18.a1_in1k.
        weights: Initial weights: "DEFAULT", the tag of a set of weights, or a file, `.safetensors` or
            `.pth`; null initializes randomly. As for torchvision, all must fit except the last layer.
        download: Download them to Hugging Face's cache if they are missing; accepted from the command line only.

    Raises:
        ConfigError: If timm is not installed, has no such architecture, or it does not accept the data's image size.
    """
    del weights, download  # dltool.warm_start.pretrained loads the weights, unless a checkpoint has all.
    if importlib.util.find_spec("timm") is None:
        raise ConfigError("model=timm needs the package timm, which is not installed", install("timm"))
    import timm

    if not timm.is_model(arch):
        near = nearest(arch, timm.list_models())
        raise ConfigError(
            f"model.arch={arch}: timm {timm.__version__} has no such architecture",
            f"did you mean {setting('model.arch', near)}?"
            if near
            else "python -c 'import timm; print(timm.list_models())'",
        )
    channels, height, width = spec.input_shape
    try:
        own = timm.get_pretrained_cfg(arch)
    except RuntimeError as error:
        tags = ", ".join(timm.list_pretrained(f"{arch.partition('.')[0]}.*")) or "none"
        raise ConfigError(f"model.arch={arch}: {error}", f"timm {timm.__version__} has {tags}") from error
    sized: dict[str, Any] = {"img_size": (height, width)} if own is not None and own.fixed_input_size else {}
    side = own.input_size[-1] if own is not None else 224

    def construct() -> nn.Module:
        with torch.device("cpu"):  # Some compute their widths with tensors, which have no values on the meta device.
            return timm.create_model(arch, num_classes=spec.output_dim, in_chans=channels, **sized)

    return built_for(spec, construct, f"model.arch={arch}", side)
