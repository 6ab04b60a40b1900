import pytest
import torch
import torch.nn.functional as F

from dltool.layers.window import num_positions


@pytest.mark.parametrize("size", [5, 8, 11])
@pytest.mark.parametrize("kernel", [1, 2, 5])
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, 2, 1), (1, 4, 2)])
def test_as_torch_counts(size, kernel, stride, padding, dilation):
    outputs = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding, dilation)
    positions = num_positions(size, kernel, stride=stride, padding=2 * padding, dilation=dilation)
    assert positions == outputs.shape[2]


def test_a_window_that_is_too_large_has_none():
    assert num_positions(4, 5) == 0
    assert num_positions(1, 5, stride=3) == 0
    assert num_positions(4, 3, dilation=2) == 0
