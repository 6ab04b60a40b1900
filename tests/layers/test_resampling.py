import torch

from dltool.layers.resampling import Blur, Upsample


def test_a_blur_by_hand():
    """One bright position becomes the filter itself; at stride 2 every second position of it."""
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 3, 3] = 64
    taps = torch.tensor([1.0, 3, 3, 1])
    blurred = Blur(padding=2)(image)
    assert blurred.shape == (1, 1, 9, 9)
    torch.testing.assert_close(blurred[0, 0, 2:6, 2:6], torch.outer(taps, taps))
    halved = Blur(padding=1, stride=2)(image)
    assert halved.shape == (1, 1, 4, 4)
    torch.testing.assert_close(halved[0, 0, 1:3, 1:3], torch.tensor([[9.0, 3], [3, 1]]))


def test_doubling_is_bilinear_within_the_map():
    maps = torch.randn(2, 3, 7, 7)
    bilinear = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(Upsample()(maps)[:, :, 1:-1, 1:-1], bilinear[:, :, 1:-1, 1:-1])


def test_a_constant_stays_one_within_the_map():
    ones = torch.ones(1, 2, 8, 8)
    for layer, border in ((Blur(padding=2), 3), (Blur(padding=1, stride=2), 1), (Upsample(), 2)):
        inner = layer(ones)[:, :, border:-border, border:-border]
        torch.testing.assert_close(inner, torch.ones_like(inner))
