"""The trained image classifier for metrics of samples: from pixels to features and classes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.scaling import PixelScaling

BATCH_SIZE = 500


class Seen(NamedTuple):
    """A classifier's features and logits for images.

    Attributes:
        features: The output of its last hidden layer, float32 `(B, D)`.
        logits: `(B, num_classes)`.
    """

    features: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Classifier:
    """A LeNet and its preprocessing.

    Attributes:
        model: In evaluation mode, without gradients.
        preprocessing: Converts pixels to model inputs.
        class_names: The names of its classes.
        accuracy: The accuracy on the held-out split.
        tested: That split, "10,000 test samples".
        seconds: The duration of the training.
        sha256: The SHA-256 of the weights.
    """

    model: nn.Module
    preprocessing: ImagePreprocessing
    class_names: tuple[str, ...]
    accuracy: float
    tested: str
    seconds: float
    sha256: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Logits `(B, num_classes)` of images, uint8 `(B, C, H, W)`."""
        return self.see(pixels).logits

    @torch.no_grad()
    def see(self, pixels: Tensor) -> Seen:
        """Features and logits of images, uint8 `(B, C, H, W)`; in float32, also within an autocast context."""
        seen = []
        with torch.autocast(pixels.device.type, enabled=False):
            for part in pixels.split(BATCH_SIZE):
                hidden: list[Tensor] = []
                hook = last_layer(self.model).register_forward_pre_hook(keep_input(hidden))
                try:
                    logits = self.model(self.prepared(part))
                finally:
                    hook.remove()
                seen.append(Seen(hidden[0], logits))
        return Seen(*map(torch.cat, zip(*seen, strict=True)))

    def prepared(self, pixels: Tensor) -> Tensor:
        """The model inputs. Images that already have the right size and padding are only scaled."""
        own = self.preprocessing
        if tuple(pixels.shape[1:]) != (own.channels, *own.size):
            return own(pixels)
        shift, factor = (torch.tensor(v, device=pixels.device).view(1, -1, 1, 1) for v in (own.shift, own.factor))
        return PixelScaling(shift, factor, None)(pixels)


@dataclass(frozen=True)
class StackedClassifier:
    """A classifier of grey images applied to each channel; its classes are the combinations of the channels' classes.

    Attributes:
        single: The classifier of one channel.
        channels: The number of channels; the class of the first is most significant: 3, 1, 4 is class 314 of 1,000.
    """

    single: Classifier
    channels: int

    @property
    def num_classes(self) -> int:
        return self.single.num_classes**self.channels

    @property
    def accuracy(self) -> float:
        """The accuracy on one channel."""
        return self.single.accuracy

    @property
    def tested(self) -> str:
        return f"{self.single.tested}, of one channel"

    @property
    def sha256(self) -> str:
        return self.single.sha256

    def __call__(self, pixels: Tensor) -> Tensor:
        """Logits `(B, num_classes)`: the sums of the channels' logits."""
        return self.see(pixels).logits

    def see(self, pixels: Tensor) -> Seen:
        """The features of all channels, `(B, channels * D)`, and the logits."""
        seen = [self.single.see(channel) for channel in pixels.split(1, dim=1)]
        logits = seen[0].logits
        for other in seen[1:]:
            logits = (logits[:, :, None] + other.logits[:, None, :]).flatten(1)  # (B, K, 1) + (B, 1, 10)
        return Seen(torch.cat([one.features for one in seen], dim=1), logits)


AnyClassifier = Classifier | StackedClassifier


def last_layer(model: nn.Module) -> nn.Module:
    return [module for module in model.modules() if isinstance(module, nn.Linear)][-1]


def keep_input(kept: list[Tensor]) -> Callable[..., None]:
    """A hook that keeps a module's input."""

    def hook(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        kept.append(inputs[0])

    return hook


def digest_of(weights: dict[str, Tensor]) -> str:
    """SHA-256 of tensors and their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
