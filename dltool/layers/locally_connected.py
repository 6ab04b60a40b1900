"""Local receptive fields without shared weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.layers.window import num_positions


class LocallyConnected(nn.Module):
    """A convolution with a different kernel and bias at each position.

    LeCun, "Generalization and network design strategies" (1989), places it (his Net-3) between fully connected layers
    and shared weights (Net-4 and Net-5, there with a bias per unit). It has as many connections as the convolution, and
    as many times its weights as there are positions; each is learned from its own part of the image.

    Attributes:
        weight: `(L, O, C, k, k)`, a kernel for each of the L positions, row by row.
        bias: `(O * L,)`, one per unit; one-dimensional, so that penalties recognize it as a bias.

    Args:
        in_channels, out_channels: Input and output channels, C and O.
        input_size: Height and width of the input maps; no other size is accepted.
        kernel_size: Side k of the receptive field.
        stride: Pixels between adjacent receptive fields.
        padding: Zeros added on each side.
        dilation: Pixels between adjacent inputs of a receptive field.
        bias: Whether it has a bias.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: tuple[int, int],
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        # Named as in torch's convolution, for the computation of receptive fields.
        self.kernel_size, self.stride = (kernel_size, kernel_size), (stride, stride)
        self.padding, self.dilation = (padding, padding), (dilation, dilation)
        height, width = (
            num_positions(size, kernel_size, stride=stride, padding=2 * padding, dilation=dilation)
            for size in input_size
        )
        self.output_size = (height, width)
        self.weight = nn.Parameter(torch.empty(height * width, out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels * height * width)) if bias else None
        bound = (in_channels * kernel_size**2) ** -0.5  # U(±1/√n_in), as in torch's convolutions.
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps `(B, C, H, W)` to `(B, O, H', W')`: a matrix product at each position, all in one batch."""
        windows = F.unfold(maps, self.kernel_size, self.dilation, self.padding, self.stride)  # (B, C * k * k, L)
        sums = torch.einsum("bkl,lok->bol", windows, self.weight.flatten(2))
        if self.bias is not None:
            sums = sums + self.bias.view(self.out_channels, -1)
        return sums.unflatten(2, self.output_size)  # (B, O, L) -> (B, O, H', W')

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
