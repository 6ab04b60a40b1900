import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.spec import PAD, DataSpec
from dltool.introspection.attention_maps import attention_maps, keeping_weights
from dltool.models.gpt import Gpt
from dltool.models.mlp import MLP
from dltool.models.transformer import Transformer
from dltool.models.transformer_encoder import TransformerEncoder

V = 9
SMALL = {"dim": 12, "num_heads": 3, "depth": 2}


def test_of_a_language_model():
    model = Gpt(DataSpec((8,), "next_token", output_dim=V, num_tokens=V, num_target_tokens=V), **SMALL).train()
    maps = attention_maps(model, torch.randint(V, (1, 5)))
    assert list(maps) == ["blocks.0.self_attention", "blocks.1.self_attention"]
    for weights in maps.values():
        assert weights.shape == (3, 5, 5)
        torch.testing.assert_close(weights.sum(2), torch.ones(3, 5))
        assert weights.triu(1).abs().max() == 0
    assert model.training
    assert not any(b.self_attention.keeps_weights or b.self_attention.weights is not None for b in model.blocks)


def test_of_an_encoder_with_padding():
    model = TransformerEncoder(
        DataSpec((8,), "classes", tuple("ab"), output_dim=2, num_tokens=V, padded=True), pooling="class", **SMALL
    )
    maps = attention_maps(model, torch.tensor([[3, 4, PAD]]))
    assert [weights.shape for weights in maps.values()] == [(3, 4, 4)] * 2
    assert all(weights[:, :, 3].abs().max() == 0 and weights[:, :, :3].min() > 0 for weights in maps.values())


def test_of_an_encoder_decoder():
    spec = DataSpec((8,), "sequence", output_dim=V, num_tokens=V, num_target_tokens=V, max_target_length=6, padded=True)
    model = Transformer(spec, hidden_dim=16, dim=12, num_heads=3, depth=1)
    maps = attention_maps(model, torch.randint(1, V, (1, 7)), torch.randint(1, V, (1, 4)))
    assert {name: weights.shape for name, weights in maps.items()} == {
        "encoder.0.self_attention": (3, 7, 7),
        "decoder.0.self_attention": (3, 4, 4),
        "decoder.0.cross_attention": (3, 4, 7),
    }


def test_of_a_model_without_attention():
    assert attention_maps(MLP(DataSpec((4,), "classes", tuple("ab"), output_dim=2)), torch.randn(1, 4)) == {}


def test_nothing_stays_kept_after_an_error():
    model = Gpt(DataSpec((8,), "next_token", output_dim=V, num_tokens=V), **SMALL)
    with pytest.raises(DataError, match="longer than the model's 8 positions"):
        attention_maps(model, torch.zeros(1, 9, dtype=torch.int64))
    assert not any(block.self_attention.keeps_weights for block in model.blocks)


def test_weights_are_kept_until_the_end_only():
    model = Gpt(DataSpec((8,), "next_token", output_dim=V, num_tokens=V), **SMALL)
    with keeping_weights(model) as layers:
        model(torch.zeros(1, 3, dtype=torch.int64))
        assert all(layer.weights is not None for layer in layers.values())
    assert not any(layer.keeps_weights or layer.weights is not None for layer in layers.values())
