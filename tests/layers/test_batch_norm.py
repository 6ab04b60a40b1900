import pytest
import torch
from torch import nn

from dltool.layers.batch_norm import BatchNorm2d


def test_a_single_value_a_channel_is_normalised_as_in_evaluation():
    norm, torch_s = BatchNorm2d(3), nn.BatchNorm2d(3)
    maps = 5 + 2 * torch.randn(4, 3, 2, 2)
    torch.testing.assert_close(norm(maps), torch_s(maps))
    mean = norm.running_mean.clone()
    single = torch.randn(1, 3, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value"):
        torch_s(single)
    torch.testing.assert_close(norm(single), torch_s.eval()(single))
    assert torch.equal(norm.running_mean, mean)
