import pytest
import torch
from torch import nn

from dltool.core.errors import DataError
from dltool.core.spec import PAD, DataSpec
from dltool.models.transformer_encoder import TransformerEncoder, pooled

V, T, K = 11, 8, 3
CLASSES = DataSpec((T,), "classes", tuple("abc"), output_dim=K, num_tokens=V, padded=True)
TAGS = DataSpec((T,), "tags", tuple("abc"), output_dim=K, num_tokens=V, padded=True)
WORDS = DataSpec((T,), "next_token", output_dim=V, num_tokens=V, num_target_tokens=V)


def small(spec, **options):
    torch.manual_seed(0)
    model = TransformerEncoder(spec, **{"dim": 12, "num_heads": 3, "depth": 2, **options}).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
@pytest.mark.parametrize("pooling", ["mean", "max", "class"])
def test_padding_changes_no_class(positions, pooling):
    model = small(CLASSES, positions=positions, pooling=pooling)
    short = torch.randint(1, V, (2, 5))
    padded = torch.cat((short, torch.full((2, 3), PAD)), dim=1)
    among_longer = torch.cat((padded, torch.randint(1, V, (1, T))))
    assert model(short).shape == (2, K)
    torch.testing.assert_close(model(padded), model(short))
    torch.testing.assert_close(model(among_longer)[:2], model(short))


@pytest.mark.parametrize("spec", [TAGS, WORDS], ids=["tags", "words"])
def test_each_position_has_its_output_and_sees_both_ways(spec):
    model = small(spec)
    tokens = torch.randint(1, V, (2, T))
    changed = tokens.clone()
    changed[:, 4] = tokens[:, 4] % (V - 1) + 1
    before, after = model(tokens), model(changed)
    assert before.shape == (2, T, spec.output_dim)
    assert (after - before).abs().amax(dim=2).min() > 1e-4


def test_padding_changes_no_tag():
    model = small(TAGS, norm="post")
    short = torch.randint(1, V, (2, 5))
    padded = torch.cat((short, torch.full((2, 3), PAD)), dim=1)
    torch.testing.assert_close(model(padded)[:, :5], model(short))


@pytest.mark.parametrize("pooling", ["mean", "max", "class"])
def test_rows_of_numbers_and_images(pooling):
    rows = small(DataSpec((T, 4), "numbers", target_dim=2, output_dim=2), pooling=pooling)
    assert rows(torch.randn(3, T, 4)).shape == (3, 2)
    images = small(DataSpec((2, T, 4), "classes", tuple("abc"), output_dim=K), pooling=pooling)
    assert images(torch.randn(3, 2, T, 4)).shape == (3, K)


def test_an_image_is_read_row_by_row():
    images = small(DataSpec((2, T, 4), "classes", tuple("abc"), output_dim=K))
    rows = small(DataSpec((T, 8), "classes", tuple("abc"), output_dim=K))
    rows.load_state_dict(images.state_dict())
    image = torch.randn(1, 2, T, 4)
    torch.testing.assert_close(images(image), rows(torch.cat((image[:, 0], image[:, 1]), dim=2)))


def test_pooling_by_hand():
    features = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [100.0, 100.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pooled(features, mask, "mean").tolist() == [[2.0, -3.0]]
    assert pooled(features, mask, "max").tolist() == [[3.0, -1.0]]
    assert pooled(features[:, :2], None, "mean").tolist() == [[2.0, -3.0]]


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_equals_torch_s_encoder(norm):
    model = small(TAGS, norm=norm, activation="relu")
    layer = nn.TransformerEncoderLayer(12, 3, 48, 0.0, batch_first=True, norm_first=norm == "pre")
    theirs = nn.TransformerEncoder(layer, 2, nn.LayerNorm(12) if norm == "pre" else None, enable_nested_tensor=False)
    for block, layer in zip(model.blocks, theirs.layers, strict=True):
        attention = block.self_attention
        layer.self_attn.in_proj_weight.data = torch.cat((attention.query.weight, attention.key_value.weight)).data
        layer.self_attn.in_proj_bias.data = torch.cat((attention.query.bias, attention.key_value.bias)).data
        layer.self_attn.out_proj.load_state_dict(attention.output.state_dict())
        layer.linear1.load_state_dict(block.feed_forward[0].state_dict())
        layer.linear2.load_state_dict(block.feed_forward[2].state_dict())
        layer.norm1.load_state_dict(block.self_attention_norm.state_dict())
        layer.norm2.load_state_dict(block.feed_forward_norm.state_dict())
    if norm == "pre":
        theirs.norm.load_state_dict(model.norm.state_dict())
    tokens = torch.randint(1, V, (3, T))
    tokens[0, 5:] = PAD
    features = model.embedding.vectors.weight[tokens] + model.embedding.positions.table
    expected = model.head(theirs(features, src_key_padding_mask=tokens == PAD))
    torch.testing.assert_close(model(tokens)[tokens != PAD], expected[tokens != PAD])


def test_longer_than_the_positions():
    with pytest.raises(DataError, match="a sequence of 9 is longer than the model's 8 positions"):
        small(CLASSES)(torch.ones(1, 9, dtype=torch.int64))


@pytest.mark.parametrize("pooling", ["mean", "max", "class"])
def test_learns_which_token_comes_first(pooling):
    """Order alone decides: the class is whether token 5 stands before token 6."""
    torch.manual_seed(0)
    model = TransformerEncoder(CLASSES, dim=16, depth=1, num_heads=2, dropout=0.0, pooling=pooling)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    tokens = torch.stack(
        [torch.cat((torch.tensor([5, 6]), torch.randint(7, V, (4,))))[torch.randperm(6)] for _ in range(128)]
    )
    targets = ((tokens == 5).int().argmax(1) < (tokens == 6).int().argmax(1)).long()
    for _ in range(150):
        loss = nn.functional.cross_entropy(model(tokens), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(p.grad is not None for p in model.parameters())
    assert (model(tokens).argmax(1) == targets).float().mean() > 0.95
