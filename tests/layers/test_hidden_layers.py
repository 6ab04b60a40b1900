import torch
from torch import nn

from dltool.layers.hidden_layers import BatchNorm, hidden_layers


def test_no_bias_that_batch_norm_would_subtract():
    assert hidden_layers([4, 3], "relu", norm="batch")[0].bias is None
    assert hidden_layers([4, 3], "relu", norm="layer")[0].bias is not None


def test_order_is_linear_norm_activation_dropout():
    layers = hidden_layers([4, 3, 2], "relu", norm="batch", dropout=0.5, bias=False)
    assert [type(layer) for layer in layers] == [nn.Linear, BatchNorm, nn.ReLU, nn.Dropout] * 2
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [3, 2]
    assert all(layer.bias is None for layer in layers if isinstance(layer, nn.Linear))


def test_one_width_gives_no_layer():
    assert hidden_layers([4], "relu") == []


def test_batch_norm_takes_the_last_sample_of_an_epoch():
    norm, torch_s = BatchNorm(3), nn.BatchNorm1d(3)
    inputs = 5 + 2 * torch.randn(50, 3)
    torch.testing.assert_close(norm(inputs), torch_s(inputs))
    mean = norm.running_mean.clone()
    torch.testing.assert_close(norm(inputs[:1]), torch_s.eval()(inputs[:1]))
    assert torch.equal(norm.running_mean, mean)
