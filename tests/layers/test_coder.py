import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.layers.coder import Decoder, Encoder, Form


@pytest.mark.parametrize(
    ("shape", "architecture", "channels"),
    [
        ((1, 8, 8), "conv", [4, 6]),
        ((1, 28, 28), "conv", [4, 6]),
        ((3, 32, 32), "conv", [4, 5, 6]),
        ((3, 64, 64), "conv", [2, 3, 4, 5]),
        ((1, 28, 20), "conv", [3]),
        ((3, 8, 8), "conv", []),
        ((1, 28, 28), "mlp", [4, 6]),
        ((13,), "mlp", [4]),
    ],
)
@pytest.mark.parametrize("hidden", [[7, 5], []])
def test_the_decoder_gives_the_shape_that_the_encoder_takes(shape, architecture, channels, hidden):
    form = Form(architecture, hidden, channels, "relu")
    codes = Encoder(shape, form, 6)(torch.randn(2, *shape))
    assert codes.shape == (2, 6)
    assert Decoder(shape, form, 6)(codes).shape == (2, *shape)


def test_the_decoder_is_the_encoder_in_reverse():
    form = Form("conv", [7, 5], [4, 6], "relu")
    encoder = [tuple(p.shape) for p in Encoder((1, 8, 8), form, 2).parameters() if p.dim() > 1]
    decoder = [tuple(p.shape) for p in Decoder((1, 8, 8), form, 2).parameters() if p.dim() > 1]
    assert encoder == [(4, 1, 4, 4), (6, 4, 4, 4), (7, 24), (5, 7), (2, 5)]
    # A transposed convolution has its channels the other way round already.
    assert decoder == [(5, 2), (7, 5), (24, 7), (6, 4, 4, 4), (4, 1, 4, 4)]


@pytest.mark.parametrize(
    ("side", "hint"),
    [(28, "data.resize=32, or 'model.channels=[4,4]'"), (7, "data.resize=8"), (36, "data.resize=32, ")],
)
def test_sizes_that_cannot_be_halved_so_often_are_refused(side, hint):
    with pytest.raises(ConfigError, match="sides of 8, 16, 24") as caught:
        Encoder((1, side, side), Form("conv", [], [4, 4, 4], "relu"), 2)
    assert caught.value.hint.startswith(hint)


def test_classes_beside_the_sample_change_the_code():
    encoder = Encoder((1, 8, 8), Form("conv", [5], [4], "tanh"), 2, num_classes=3)
    image = torch.randn(1, 1, 8, 8).expand(2, -1, -1, -1)
    first, second = encoder(image, torch.eye(3)[:2])
    assert not torch.equal(first, second)
