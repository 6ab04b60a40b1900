import pytest
import torch

from dltool.layers.edge_kernels import EdgeKernels


@pytest.mark.parametrize("kind", ["sobel", "prewitt"])
def test_the_slope_in_each_direction(kind):
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(5.0), indexing="ij")
    image = 3 * rows - 2 * columns
    horizontal, vertical = EdgeKernels(kind, 1)(image[None, None])[0]
    torch.testing.assert_close(horizontal[1:-1], torch.full((4, 5), 3.0)[:, :], atol=1e-5, rtol=0)
    torch.testing.assert_close(vertical[:, 1:-1], torch.full((6, 3), -2.0), atol=1e-5, rtol=0)


def test_the_kernels_of_the_papers():
    sobel, prewitt = EdgeKernels("sobel", 1).weight * 8, EdgeKernels("prewitt", 1).weight * 6
    assert sobel[1, 0].tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert sobel[0, 0].tolist() == [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    torch.testing.assert_close(prewitt[1, 0], torch.tensor([[-1.0, 0, 1]] * 3))


def test_the_border_is_no_edge():
    assert EdgeKernels("sobel", 2)(torch.full((1, 2, 4, 4), 7.0)).abs().max() < 1e-5


def test_two_maps_for_each_channel():
    images = torch.randn(2, 3, 6, 6)
    maps = EdgeKernels("prewitt", 3)(images)
    assert maps.shape == (2, 6, 6, 6)
    for channel in range(3):
        alone = EdgeKernels("prewitt", 1)(images[:, channel : channel + 1])
        torch.testing.assert_close(maps[:, 2 * channel : 2 * channel + 2], alone)


def test_nothing_to_train_or_to_save():
    layer = EdgeKernels("sobel", 1)
    assert not list(layer.parameters())
    assert not layer.state_dict()
