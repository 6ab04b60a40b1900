import pytest
import torch
import torch.nn.functional as F

from dltool.layers.modulated_convolution import ModulatedConv2d


def sample_by_sample(layer, inputs, styles):
    """Equations 1 and 3: a kernel for each sample, modulated, divided, and only then used."""
    outputs = []
    for sample, style in zip(inputs, styles, strict=True):
        scales = layer.affine(style[None])[0]
        kernel = layer.weight * layer.scale * scales[None, :, None, None]
        if layer.demodulate:
            kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if layer.blur is None:
            outputs.append(F.conv2d(sample[None], kernel, padding=layer.padding))
        else:
            outputs.append(layer.blur(F.conv_transpose2d(sample[None], kernel.transpose(0, 1), stride=2)))
    return torch.cat(outputs)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_equals_a_kernel_for_each_sample(demodulate, double):
    layer = ModulatedConv2d(5, 6, 3, 4, demodulate=demodulate, double=double)
    inputs, styles = torch.randn(3, 5, 7, 7), 2 * torch.randn(3, 4)
    outputs = layer(inputs, styles)
    assert outputs.shape == ((3, 6, 14, 14) if double else (3, 6, 7, 7))
    torch.testing.assert_close(outputs, sample_by_sample(layer, inputs, styles), atol=1e-5, rtol=1e-4)


def test_demodulated_outputs_have_variance_one_whatever_the_style():
    layer = ModulatedConv2d(32, 8, 3, 4)
    inputs = torch.randn(1, 32, 40, 40).expand(2, -1, -1, -1)
    styles = torch.tensor([[1.0, 2, 3, 4], [-70.0, 0, 90, 10]])
    inner = layer(inputs, styles)[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(inner.std(dim=(1, 2, 3)), torch.ones(2), atol=0.1, rtol=0)
    layer.demodulate = False
    assert layer(inputs, styles)[1].std() > 20


def test_a_style_of_zero_modulates_by_one():
    layer = ModulatedConv2d(5, 6, 1, 4, demodulate=False)
    inputs = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(layer(inputs, torch.zeros(2, 4)), F.conv2d(inputs, layer.weight / 5**0.5))
