import pytest
import torch
import torch.nn.functional as F

from dltool.layers.locally_connected import LocallyConnected


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), [(3, 1, 1, 1), (3, 2, 0, 1), (2, 3, 1, 1), (3, 1, 2, 2)]
)
def test_one_product_at_each_position(kernel, stride, padding, dilation):
    layer = LocallyConnected(2, 4, (7, 9), kernel, stride=stride, padding=padding, dilation=dilation)
    maps = torch.randn(3, 2, 7, 9)
    outputs = layer(maps)
    padded = F.pad(maps, (padding,) * 4)
    height, width = outputs.shape[2:]
    biases = layer.bias.view(4, height, width)
    for i in range(height):
        for j in range(width):
            rows = slice(i * stride, i * stride + dilation * (kernel - 1) + 1, dilation)
            columns = slice(j * stride, j * stride + dilation * (kernel - 1) + 1, dilation)
            field = padded[:, :, rows, columns]  # (B, C, k, k)
            for o in range(4):
                expected = (field * layer.weight[i * width + j, o]).sum((1, 2, 3)) + biases[o, i, j]
                torch.testing.assert_close(outputs[:, o, i, j], expected, atol=1e-5, rtol=1e-5)


def test_with_equal_kernels_it_is_a_convolution():
    layer = LocallyConnected(3, 5, (6, 6), 3, padding=1, bias=False)
    kernel = torch.randn(5, 3, 3, 3)
    with torch.no_grad():
        layer.weight.copy_(kernel.expand_as(layer.weight))
    maps = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(layer(maps), F.conv2d(maps, kernel, padding=1), atol=1e-5, rtol=1e-5)


def test_gradients():
    layer = LocallyConnected(1, 2, (4, 3), 2).double()
    assert torch.autograd.gradcheck(layer, torch.randn(2, 1, 4, 3, dtype=torch.double, requires_grad=True))


def test_starts_as_a_convolution_does():
    torch.manual_seed(0)
    layer = LocallyConnected(4, 8, (12, 12), 3)
    bound = (4 * 9) ** -0.5
    assert 0.99 * bound < layer.weight.abs().max() <= bound
    assert layer.bias.ndim == 1, "penalties take what has two dimensions for weights"
