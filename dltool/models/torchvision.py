"""torchvision's image classifiers, with outputs for the data's classes."""

from contextlib import nullcontext
from typing import Any, Literal

import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import register
from dltool.models.trial import built_for

# The result of `torchvision.models.list_models(module=torchvision.models)`, by test; written here so that a name is
# checked, listed and completed without importing torchvision.
# fmt: off
Arch = Literal[
    "alexnet", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny", "densenet121", "densenet161",
    "densenet169", "densenet201", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
    "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_l",
    "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet0_75",
    "mnasnet1_0", "mnasnet1_3", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_16gf",
    "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf", "regnet_x_800mf", "regnet_x_8gf",
    "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf", "regnet_y_32gf", "regnet_y_3_2gf", "regnet_y_400mf",
    "regnet_y_800mf", "regnet_y_8gf", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50",
    "resnext101_32x8d", "resnext101_64x4d", "resnext50_32x4d", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0", "squeezenet1_1", "swin_b", "swin_s", "swin_t",
    "swin_v2_b", "swin_v2_s", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
    "vgg19_bn", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2", "wide_resnet50_2",
]
# fmt: on


@register(
    "model",
    "torchvision",
    inputs="image",
    min_size={"inception_v3": 107, "maxvit_t": 224, "vit_h_14": 224, "*": 64},
    native_size={"inception_v3": 107, "maxvit_t": 224, "vit_h_14": 224, "*": 64},
    photo_size={"inception_v3": 299, "*": 224},
    tasks=("supervised",),
    published_by="torchvision",
)
def torchvision_model(
    spec: DataSpec,
    *,
    arch: Arch = "resnet18",
    weights: str | None = None,
    download: bool = False,
) -> nn.Module:
    """A classifier of torchvision.models, as torchvision builds it, with its layer names and initialisation.

    Images smaller than 64×64 (`min_size`: a network that halves its maps five times has 2×2 positions left of that)
    are resized to the smallest size that an architecture accepts. Photographs are resized as in ImageNet's recipes.

    Deviations: the auxiliary outputs of GoogLeNet and Inception v3, which helped their training, are omitted. Grey
    images have one channel: the first convolution's kernels are summed over the colours, which is equivalent to
    repeating the grey channel three times. A transformer is built for the size of the data's images.

    Args:
        spec: Gives the classes, the channels and the size of the images.
        arch: The name of the function in torchvision.models.
        weights: Initial weights: the name of one of torchvision's sets of weights, "DEFAULT" or
            "IMAGENET1K_V1", or a file, `.pth` as torchvision publishes it or `.safetensors`; null initializes randomly.
            All must fit except the last layer, which is initialized randomly if the number of classes differs
            (dltool.warm_start.pretrained). Published weights are for images with `'data.mean=[0.485,0.456,0.406]'
            'data.std=[0.229,0.224,0.225]'`, most of them 224×224.
        download: Download them to torch's cache if they are missing; accepted from the command line only.

    Raises:
        ConfigError: If the network does not accept images of the data's size.
    """
    del download  # dltool.warm_start.pretrained loads the weights, unless a checkpoint has all.
    from torchvision import models

    channels, height, width = spec.input_shape
    sized: dict[str, Any] = {}
    if arch.startswith("vit"):
        sized["image_size"] = height
    elif arch == "maxvit_t":
        sized["input_size"] = (height, width)
    elif arch in ("googlenet", "inception_v3"):
        # The published weights came from TensorFlow: inputs of torchvision's scale are converted to [-1, 1] first.
        converts = weights is not None and channels == 3
        sized |= {"aux_logits": False, "init_weights": True, "transform_input": converts}

    def construct() -> nn.Module:
        # A RegNet computes its widths with tensors, which have no values on the meta device.
        with torch.device("cpu") if arch.startswith("regnet") else nullcontext():
            model = models.get_model(arch, weights=None, num_classes=spec.output_dim, **sized)
        if channels == 1:
            sum_colours(model)
        return model

    return built_for(spec, construct, f"model.arch={arch}", 299 if arch == "inception_v3" else 224)


def sum_colours(model: nn.Module) -> None:
    """Convert a network of RGB images to one of grey images that is equivalent for equal colours, in place."""
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    first.in_channels = 1
    first.weight = nn.Parameter(first.weight.detach().sum(dim=1, keepdim=True))  # (F, 3, K, K) -> (F, 1, K, K)
