"""Inception v3 as FID and KID take it, from a local file of its weights."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import setting
from dltool.warm_start.source import SUFFIXES, read_file

NUM_CLASSES = 1008  # Of the network of 2015 that FID is defined by.
SIDE = 299
BATCH_SIZE = 50
AVERAGED = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
USUAL_FILE = "pt_inception-2015-12-05-6726825d.pth"
HINT = f"{setting('task.features', USUAL_FILE)}, the weights of the port pytorch-fid; or task.features=lenet"


class InceptionFeatures:
    """The 2,048 features of the last pooling (Heusel et al. 2017, arXiv:1706.08500; Szegedy et al. 2016,
    arXiv:1512.00567).

    FID is defined by a TensorFlow graph of 2015. Its port to PyTorch is torchvision's network but for four things:
    1,008 classes, averages that do not count the padding, a maximum in place of the last block's average, and pixels
    in [-1, 1]. The file is read as tensors alone, so that no code in it can run; a TorchScript file, which is code, is
    refused. Images are brought to 299×299 by bilinear interpolation without antialiasing, as the port does, which is
    not what PIL does (Parmar et al. 2022, arXiv:2104.11222). Grey images become three equal channels.

    Args:
        file: Of the weights, safetensors or what torch.save wrote.
        device: Where the network is wanted.

    Attributes:
        sha256: Of the file.
    """

    def __init__(self, file: str, device: torch.device) -> None:
        path = Path(file).expanduser()
        if path.suffix not in SUFFIXES or not path.is_file():
            problem = "does not exist" if path.suffix in SUFFIXES else f"ends in none of {', '.join(SUFFIXES)}"
            raise ConfigError(f"task.features={file}: {path.resolve()} {problem}", HINT)
        try:
            source = read_file(path)
        except DataError as error:
            raise DataError(f"task.features: {error.message}", HINT) from error
        self.sha256 = source.sha256[path.name]
        self.network = inception_of_fid()
        load(self.network, source.weights, path)
        self.network.fc = nn.Identity()
        self.network.eval().requires_grad_(False).to(device)

    @torch.no_grad()
    def features(self, pixels: Tensor) -> Tensor:
        """float32 `(B, 2048)` of images, uint8 `(B, C, H, W)`, with 1 or 3 channels."""
        with torch.autocast(pixels.device.type, enabled=False):
            return torch.cat([self.network(prepared(part)) for part in pixels.split(BATCH_SIZE)])


def prepared(pixels: Tensor) -> Tensor:
    """`(B, 3, 299, 299)` in [-1, 1]."""
    images = pixels.float() / 255
    if images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    return 2 * F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1


def inception_of_fid() -> nn.Module:
    """torchvision's network with the pooling of FID's."""
    from torchvision.models.inception import Inception3, InceptionE  # Takes 1.5 s to import.

    class LastBlock(InceptionE):
        """Mixed_7c with a maximum."""

        def _forward(self, x: Tensor) -> list[Tensor]:
            *branches, _averaged = super()._forward(x)
            return [*branches, self.branch_pool(F.max_pool2d(x, kernel_size=3, stride=1, padding=1))]

    network = Inception3(num_classes=NUM_CLASSES, aux_logits=False, init_weights=False)
    network.Mixed_7c = LastBlock(2048)
    for name in AVERAGED:
        network.get_submodule(f"{name}.branch_pool").register_forward_pre_hook(without_padding)
    return network


def without_padding(_module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
    """Averages over 3×3 windows that counted the padding, as averages over what lies inside the image."""
    (averages,) = inputs
    inside = F.avg_pool2d(torch.ones_like(averages[:1, :1]), kernel_size=3, stride=1, padding=1)
    return averages / inside


def load(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Raises DataError where the weights are another network's."""
    counters = {name for name, _ in network.named_buffers() if name.endswith("num_batches_tracked")}
    wanted = network.state_dict()
    lacking = [name for name in wanted if name not in weights and name not in counters]
    if lacking:
        message = f"task.features: {path.resolve()} is no Inception of FID: it has no {lacking[0]}"
        raise DataError(message, HINT)
    odd = [name for name in wanted if name in weights and weights[name].shape != wanted[name].shape]
    if odd:
        shapes = f"{tuple(weights[odd[0]].shape)}, not {tuple(wanted[odd[0]].shape)}"
        raise DataError(f"task.features: {path.resolve()} is no Inception of FID: its {odd[0]} is {shapes}", HINT)
    network.load_state_dict({name: weights[name] for name in wanted if name in weights}, strict=False)
