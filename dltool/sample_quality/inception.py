"""Inception v3 for FID and KID, from a local file of its weights."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import setting
from dltool.warm_start.source import SUFFIXES, read_file

NUM_CLASSES = 1008  # The 2015 network that defines FID.
SIDE = 299
BATCH_SIZE = 50
AVERAGED = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
USUAL_FILE = "pt_inception-2015-12-05-6726825d.pth"
HINT = f"{setting('task.features', USUAL_FILE)}, the weights of the port pytorch-fid; or task.features=lenet"


class InceptionFeatures:
    """The 2,048 features of the last pooling (Heusel et al. 2017, arXiv:1706.08500; Szegedy et al. 2016,
    arXiv:1512.00567).

    FID is defined by a TensorFlow graph of 2015. Its port to PyTorch is torchvision's network with four differences:
    1,008 classes, average pooling that does not count the padding, max pooling in place of the last block's average
    pooling, and pixels in [-1, 1]. Only tensors are read from the file, so that no code in it can run; a TorchScript
    file, which is code, is refused. Images are resized to 299×299 by bilinear interpolation without antialiasing, as in
    the port; PIL differs (Parmar et al. 2022, arXiv:2104.11222). Grey images become three equal channels.

    Args:
        file: The file of weights, in safetensors or torch.save format.
        device: The device of the network.

    Attributes:
        sha256: The SHA-256 of the file.
    """

    def __init__(self, file: str, device: torch.device) -> None:
        path = Path(file).expanduser()
        if path.suffix not in SUFFIXES or not path.is_file():
            problem = "does not exist" if path.suffix in SUFFIXES else f"does not end in {' or '.join(SUFFIXES)}"
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
    """torchvision's network with the pooling of FID's network."""
    from torchvision.models.inception import Inception3, InceptionE  # Takes 1.5 s to import.

    class LastBlock(InceptionE):
        """Mixed_7c with max pooling."""

        def _forward(self, x: Tensor) -> list[Tensor]:
            *branches, _averaged = super()._forward(x)
            return [*branches, self.branch_pool(F.max_pool2d(x, kernel_size=3, stride=1, padding=1))]

    network = Inception3(num_classes=NUM_CLASSES, aux_logits=False, init_weights=False)
    network.Mixed_7c = LastBlock(2048)
    for name in AVERAGED:
        network.get_submodule(f"{name}.branch_pool").register_forward_pre_hook(without_padding)
    return network


def without_padding(_module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
    """Convert averages over 3×3 windows that count the padding to averages over the pixels inside the image."""
    (averages,) = inputs
    inside = F.avg_pool2d(torch.ones_like(averages[:1, :1]), kernel_size=3, stride=1, padding=1)
    return averages / inside


def load(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Load the weights. Raises DataError if they do not belong to this network."""
    counters = {name for name, _ in network.named_buffers() if name.endswith("num_batches_tracked")}
    expected = network.state_dict()
    missing = [name for name in expected if name not in weights and name not in counters]
    if missing:
        message = f"task.features: {path.resolve()} is not FID's Inception: it has no {missing[0]}"
        raise DataError(message, HINT)
    wrong = [name for name in expected if name in weights and weights[name].shape != expected[name].shape]
    if wrong:
        shapes = f"{tuple(weights[wrong[0]].shape)}, not {tuple(expected[wrong[0]].shape)}"
        raise DataError(f"task.features: {path.resolve()} is not FID's Inception: its {wrong[0]} is {shapes}", HINT)
    network.load_state_dict({name: weights[name] for name in expected if name in weights}, strict=False)
