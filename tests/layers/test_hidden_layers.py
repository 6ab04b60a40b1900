from torch import nn

from dltool.layers.hidden_layers import hidden_layers


def test_order_is_linear_norm_activation_dropout():
    layers = hidden_layers([4, 3, 2], "relu", norm="batch", dropout=0.5, bias=False)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout] * 2
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [3, 2]
    assert all(layer.bias is None for layer in layers if isinstance(layer, nn.Linear))


def test_one_width_gives_no_layer():
    assert hidden_layers([4], "relu") == []
