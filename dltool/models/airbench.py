"""The network of airbench: small, and designed to learn CIFAR-10 in seconds."""

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, Probability, register
from dltool.layers.batch_norm import BatchNorm2d

PATCH = 2  # Side of the whitened patches.


@register("model", "airbench", inputs="image", min_size=25, native_size=32, tasks=("supervised",))
class Airbench(nn.Module):
    """Jordan, "94 % on CIFAR-10 in 3.29 seconds on a single GPU" (2024, arXiv:2404.00498), section 3 and appendix.

    A frozen convolution that whitens 2×2 patches, three groups of two 3×3 convolutions, and a linear output layer
    without bias on the maximum of each map; 1,972,792 parameters on colour images and ten classes. The whitening
    filters are never trained, and of the norms only the biases are; their scales stay at one.
    Two rules speed up the first steps: the whitening filters are computed from training images (section 3.1), and
    the first filters of each 3×3 convolution are initialized to the identity of their inputs (section 3.2).

    Deviations: the last pooling takes the maximum of the whole map, which at 32×32 is the paper's 3×3 window, so that
    other image sizes work as well. The biases of the whitening are trained to the end; the paper's are trained for
    three epochs.

    Args:
        widths: Channels of the three groups.
        whiten: False initializes the first convolution randomly and trains it, to show the effect of whitening.
        whiten_eps: Added to each variance before the division by its root, so that directions with almost no variance
            are not amplified to noise. In units of the model's inputs.
        whiten_images: Number of training images whose patches are used.
        norm_momentum: Share of a new batch in the running statistics of the norms.
        norm_eps: Added to the variances of the norms.
        head_std: Standard deviation to which the initial output weights, uniform, are scaled; null keeps torch's
            U(±1/√n_in).
        output_divisor: Divisor of the outputs; 9 in the paper.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        widths: tuple[Positive[int], Positive[int], Positive[int]] = (64, 256, 256),
        whiten: bool = True,
        whiten_eps: NonNegative[float] = 5e-4,
        whiten_images: Positive[int] = 5000,
        norm_momentum: Probability[float] = 0.4,
        norm_eps: Positive[float] = 1e-12,
        head_std: Positive[float] | None = None,
        output_divisor: Positive[float] = 9.0,
    ) -> None:
        super().__init__()
        self.num_first_inputs = whiten_images if whiten else 0
        self.whiten_eps = whiten_eps
        self.output_divisor = output_divisor
        channels = spec.input_shape[0]
        num_directions = channels * PATCH**2
        self.whiten = nn.Conv2d(channels, 2 * num_directions, PATCH)
        self.whiten.weight.requires_grad_(not whiten)
        self.groups = nn.Sequential()
        before = 2 * num_directions
        for width in widths:
            self.groups.append(ConvGroup(before, width, norm_momentum, norm_eps))
            before = width
        self.activation = nn.GELU()
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.head = nn.Linear(before, spec.output_dim, bias=False)
        if head_std is not None:
            with torch.no_grad():
                self.head.weight.mul_(head_std / self.head.weight.std())

    def initialize_from(self, inputs: Tensor) -> None:
        """Compute the whitening filters from images `(B, C, H, W)` in the model's scaling.

        See whitening_filters. Each filter is paired with its negative, so that the activation loses no direction.
        """
        filters = whitening_filters(inputs, PATCH, self.whiten_eps)
        with torch.no_grad():
            self.whiten.weight.copy_(torch.cat([filters, -filters]))

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 25×25."""
        maps = self.groups(self.activation(self.whiten(images)))  # (B, 256, 3, 3) for 32×32
        return self.head(self.pool(maps).flatten(1)) / self.output_divisor  # (B, 256, 1, 1) -> (B, 256)


class ConvGroup(nn.Module):
    """Convolution, 2×2 pooling, norm, GELU; convolution, norm, GELU."""

    def __init__(self, num_inputs: int, width: int, norm_momentum: float, norm_eps: float) -> None:
        super().__init__()
        self.conv1 = identity_convolution(num_inputs, width)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = bias_only_norm(width, norm_momentum, norm_eps)
        self.conv2 = identity_convolution(width, width)
        self.norm2 = bias_only_norm(width, norm_momentum, norm_eps)
        self.activation = nn.GELU()

    def forward(self, maps: Tensor) -> Tensor:
        """`(B, width, H // 2, W // 2)` from maps `(B, num_inputs, H, W)`."""
        maps = self.activation(self.norm1(self.pool(self.conv1(maps))))
        return self.activation(self.norm2(self.conv2(maps)))


def identity_convolution(num_inputs: int, num_outputs: int) -> nn.Conv2d:
    """A 3×3 convolution without bias whose first filters are initialized to the identity, the others as in torch."""
    convolution = nn.Conv2d(num_inputs, num_outputs, kernel_size=3, padding=1, bias=False)
    nn.init.dirac_(convolution.weight.detach()[:num_inputs])
    return convolution


def bias_only_norm(num_maps: int, momentum: float, eps: float) -> BatchNorm2d:
    """Batch norm that trains only its biases."""
    norm = BatchNorm2d(num_maps, eps=eps, momentum=momentum)
    norm.weight.requires_grad_(False)
    return norm


def whitening_filters(images: Tensor, side: int, eps: float) -> Tensor:
    """Filters whose responses to the images' patches are uncorrelated, each with variance λ / (λ + eps).

    Row i is the eigenvector v_i of the patches' second moments, divided by √(λ_i + eps), from the smallest eigenvalue
    λ_i to the largest. The mean of the inputs is assumed to be zero, as after standardisation.

    Args:
        images: `(B, C, H, W)`.
        side: Of the square patches; all positions are used.
        eps: See Airbench.

    Returns:
        `(C·side², C, side, side)`, float32, on the device of the images.
    """
    channels = images.shape[1]
    patches = images.float().unfold(2, side, 1).unfold(3, side, 1)  # (B, C, H - side + 1, W - side + 1, side, side)
    rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels * side**2)  # One patch per row.
    moments = (rows.T @ rows).double().cpu() / len(rows)
    eigenvalues, eigenvectors = torch.linalg.eigh(moments)
    filters = eigenvectors.T / (eigenvalues.clamp(min=0) + max(eps, torch.finfo(torch.float32).eps)).sqrt()[:, None]
    return filters.float().to(images.device).view(-1, channels, side, side)
