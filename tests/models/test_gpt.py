import math

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import PAD, DataSpec
from dltool.models.gpt import Gpt

V, T, D = 11, 8, 12


def spec(length=T, **more):
    return DataSpec((length,), "next_token", output_dim=V, num_tokens=V, num_target_tokens=V, **more)


def small(**options):
    model = Gpt(spec(), **{"dim": D, "num_heads": 3, "depth": 2, **options}).eval()
    for parameter in model.parameters():  # What starts at 0.02 would hide a difference.
        nn.init.normal_(parameter, std=0.4)
    return model


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def reference(model, tokens, norm):
    """The same model of torch's own layers."""
    layers = []
    for block in model.blocks:
        layer = nn.TransformerEncoderLayer(D, 3, 4 * D, 0.0, "gelu", batch_first=True, norm_first=norm == "pre")
        attention = block.self_attention
        layer.self_attn.in_proj_weight.data = torch.cat((attention.query.weight, attention.key_value.weight)).data
        layer.self_attn.in_proj_bias.data = torch.cat((attention.query.bias, attention.key_value.bias)).data
        layer.self_attn.out_proj.load_state_dict(attention.output.state_dict())
        layer.linear1.load_state_dict(block.feed_forward[0].state_dict())
        layer.linear2.load_state_dict(block.feed_forward[2].state_dict())
        layer.norm1.load_state_dict(block.self_attention_norm.state_dict())
        layer.norm2.load_state_dict(block.feed_forward_norm.state_dict())
        layers.append(layer)
    causal = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
    table = model.embedding.vectors.weight
    features = table[tokens] + model.embedding.positions.table[: tokens.shape[1]]
    for layer in layers:
        features = layer(features, src_mask=causal, is_causal=True)
    if norm == "pre":
        features = nn.functional.layer_norm(features, (D,), model.norm.weight, model.norm.bias)
    return features @ table.T


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_equals_torch_s_layers_under_a_causal_mask(norm):
    model = small(norm=norm, bias=True)
    tokens = torch.randint(V, (3, 6))
    torch.testing.assert_close(model(tokens), reference(model, tokens, norm))


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
@pytest.mark.parametrize("tied", [True, False])
def test_part_by_part_gives_what_all_at_once_does(positions, tied):
    model = small(positions=positions, tied=tied)
    tokens = torch.randint(V, (3, T))
    outputs, state = [], None
    for start, stop in [(0, 3), (3, 4), (4, 6), (6, 8)]:
        part, state = model.advance(tokens[:, start:stop], state)
        outputs.append(part)
    torch.testing.assert_close(torch.cat(outputs, dim=1), model(tokens))


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_no_position_sees_a_later_one(positions):
    model = small(positions=positions)
    tokens = torch.randint(V, (2, T))
    changed = tokens.clone()
    changed[:, 5] = (tokens[:, 5] + 1) % V
    before, after = model(tokens), model(changed)
    torch.testing.assert_close(after[:, :5], before[:, :5])
    assert (after[:, 5:] - before[:, 5:]).abs().amax(dim=2).min() > 1e-3


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_order_matters(positions):
    model = small(positions=positions)
    there, back = model(torch.tensor([[1, 2, 3]])), model(torch.tensor([[2, 1, 3]]))
    assert (there[:, 2] - back[:, 2]).abs().max() > 1e-3


def test_padding_changes_nothing_before_it():
    model = small()
    name = torch.randint(1, V, (1, 4))
    padded = torch.cat((name, torch.full((1, 3), PAD)), dim=1)
    torch.testing.assert_close(model(padded)[:, :4], model(name))


def test_selected_rows_go_on_as_alone():
    model = small()
    tokens = torch.randint(V, (3, 5))
    _, state = model.advance(tokens[:, :4])
    rows = torch.tensor([2, 0, 2])
    outputs, _ = model.advance(tokens[rows, 4:], model.select(state, rows))
    torch.testing.assert_close(outputs[:, 0], model(tokens)[rows, 4])


def test_nanogpt_has_as_many_parameters():
    """Its 6 layers of 384 on 65 characters: "number of parameters: 10.65M", positions not counted, as it counts."""
    shakespeare = DataSpec((256,), "next_token", output_dim=65, num_tokens=65, num_target_tokens=65)
    model = Gpt(shakespeare, dim=384, depth=6, num_heads=6)
    count = sum(p.numel() for p in model.parameters()) - model.embedding.positions.table.numel()
    assert count == 10_646_784


def test_initial_weights():
    model = Gpt(spec(), dim=128, depth=8, num_heads=4, bias=True)
    block = model.blocks[3]
    for layer in (block.self_attention.output, block.feed_forward[2]):
        assert layer.weight.std().item() == pytest.approx(0.02 / math.sqrt(2 * 8), rel=0.05)
    for weight in (block.self_attention.query.weight, block.feed_forward[0].weight, model.embedding.vectors.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert all(p.abs().max() == 0 for name, p in model.named_parameters() if name.endswith("bias"))
    loss = nn.functional.cross_entropy(model(torch.randint(V, (4, T))).flatten(0, 1), torch.randint(V, (4 * T,)))
    assert loss.item() == pytest.approx(math.log(V), abs=0.1)


def test_tied_table_is_one_parameter_and_is_saved_once():
    tied, untied = Gpt(spec(), dim=D, num_heads=3), Gpt(spec(), dim=D, num_heads=3, tied=False)
    assert sum(p.numel() for p in untied.parameters()) - sum(p.numel() for p in tied.parameters()) == V * D
    pointers = [tensor.data_ptr() for tensor in tied.state_dict().values()]
    assert len(set(pointers)) == len(pointers)


def test_longer_than_the_positions():
    with pytest.raises(DataError, match="a sequence of 9 is longer than the model's 8 positions"):
        small()(torch.zeros(1, 9, dtype=torch.int64))
    model = small()
    _, state = model.advance(torch.zeros(1, 8, dtype=torch.int64))
    with pytest.raises(DataError, match="a sequence of 9"):
        model.advance(torch.zeros(1, 1, dtype=torch.int64), state)


def test_what_does_not_fit_the_data():
    with pytest.raises(ConfigError, match="reads tokens"):
        Gpt(DataSpec((5, 3), "numbers"))
    with pytest.raises(ConfigError, match="the 11 input and 4 output tokens differ"):
        Gpt(DataSpec((5,), "next_token", output_dim=4, num_tokens=V))


def test_every_parameter_learns():
    model = Gpt(spec(), dim=D, num_heads=3, depth=1, dropout=0.1, bias=True, tied=False)
    model(torch.randint(V, (3, T))).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
