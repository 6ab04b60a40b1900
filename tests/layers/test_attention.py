import math

import pytest
import torch
from torch import nn

from dltool.layers.attention import KeyValues, MultiHeadAttention, SelfAttention, allowed_pairs, attention
from dltool.layers.positions import RotaryPositions

B, T, S, D = 3, 5, 7, 8


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def written_out(module, inputs, memory=None, allowed=None):
    """The module's sums, head by head, by the single-head attention of the lectures."""
    memory = inputs if memory is None else memory
    queries, (keys, values) = module.query(inputs), module.key_value(memory).chunk(2, dim=2)
    width = D // module.num_heads
    heads = [
        attention(
            *(x[..., h * width : (h + 1) * width] for x in (queries, keys, values)), allowed, 1 / math.sqrt(width)
        )[0]
        for h in range(module.num_heads)
    ]
    return module.output(torch.cat(heads, dim=2))


@pytest.mark.parametrize("num_heads", [1, 2, 4])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_the_fast_path_equals_attention_written_out(num_heads, causal, padded):
    module, inputs = MultiHeadAttention(D, num_heads), torch.randn(B, T, D)
    mask = torch.arange(T) < torch.tensor([[5], [3], [1]]) if padded else None
    outputs, present = module(inputs, mask=mask, causal=causal)
    allowed = torch.ones(B, T, T, dtype=torch.bool)
    if padded:
        allowed &= mask[:, None, :]
    if causal:
        allowed &= torch.ones(T, T, dtype=torch.bool).tril()
    torch.testing.assert_close(outputs, written_out(module, inputs, allowed=allowed))
    assert present.keys.shape == (B, num_heads, T, D // num_heads)


def test_attention_to_a_memory():
    module, inputs, memory = MultiHeadAttention(D, 2), torch.randn(B, T, D), torch.randn(B, S, D)
    mask = torch.arange(S) < torch.tensor([[7], [4], [2]])
    outputs, _ = module(inputs, memory, mask=mask)
    torch.testing.assert_close(outputs, written_out(module, inputs, memory, mask[:, None, :]))
    memory[1, 4:] = 100.0
    torch.testing.assert_close(module(inputs, memory, mask=mask)[0], outputs)


def test_single_head_of_the_lecture_is_one_head_with_an_identity_behind():
    lecture, module = SelfAttention(D), MultiHeadAttention(D, 1, bias=False)
    module.query.weight.data = lecture.query.weight.data
    module.key_value.weight.data = torch.cat((lecture.key.weight, lecture.value.weight)).data
    module.output.weight.data = torch.eye(D)
    inputs = torch.randn(B, T, D)
    torch.testing.assert_close(module(inputs)[0], lecture(inputs))


def test_small_numbers_by_hand():
    queries = keys = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    values = torch.tensor([[1.0], [3.0]])
    outputs, weights = attention(queries, keys, values)
    own = math.e / (math.e + 1)
    torch.testing.assert_close(weights, torch.tensor([[own, 1 - own], [1 - own, own]]))
    torch.testing.assert_close(outputs, torch.tensor([[own + 3 * (1 - own)], [1 - own + 3 * own]]))


def test_without_scale_the_scores_are_the_plain_products():
    plain, scaled = SelfAttention(D, scale="none"), SelfAttention(D, scale="sqrt")
    scaled.load_state_dict(plain.state_dict())
    scaled.query.weight.data = plain.query.weight.data * math.sqrt(D)
    inputs = torch.randn(B, T, D)
    torch.testing.assert_close(plain(inputs), scaled(inputs))


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_position_by_position_gives_what_all_at_once_does(rotary, padded):
    module = MultiHeadAttention(D, 2, rotary=RotaryPositions(16, D // 2) if rotary else None)
    inputs = torch.randn(B, T, D)
    mask = torch.arange(T) >= torch.tensor([[0], [1], [0]]) if padded else None  # Nothing before the second's first.
    whole, _ = module(inputs, mask=mask, causal=True)
    past, parts = None, []
    for start, stop in [(0, 2), (2, 3), (3, 5)]:
        part, past = module(
            inputs[:, start:stop], mask=None if mask is None else mask[:, :stop], causal=True, past=past
        )
        parts.append(part)
    assert isinstance(past, KeyValues)
    keep = slice(1, None)  # Position 0 of the second sequence may look nowhere.
    torch.testing.assert_close(torch.cat(parts, dim=1)[:, keep], whole[:, keep])


def test_kept_weights_are_those_of_the_fast_path():
    module, inputs = MultiHeadAttention(D, 2), torch.randn(B, T, D)
    fast, _ = module(inputs, causal=True)
    module.keeps_weights = True
    slow, _ = module(inputs, causal=True)
    torch.testing.assert_close(slow, fast)
    assert module.weights.shape == (B, 2, T, T)
    torch.testing.assert_close(module.weights.sum(3), torch.ones(B, 2, T))
    assert module.weights.triu(1).abs().max() == 0


def test_allowed_pairs_of_the_last_positions():
    assert allowed_pairs(2, 4, None, True, torch.device("cpu")).tolist() == [
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert allowed_pairs(2, 4, None, False, torch.device("cpu")) is None


def test_equals_torch_s_own_module():
    ours, theirs = MultiHeadAttention(D, 2), nn.MultiheadAttention(D, 2, batch_first=True)
    theirs.in_proj_weight.data = torch.cat((ours.query.weight, ours.key_value.weight)).data
    theirs.in_proj_bias.data = torch.cat((ours.query.bias, ours.key_value.bias)).data
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    inputs, mask = torch.randn(B, T, D), torch.arange(T) < torch.tensor([[5], [3], [1]])
    expected, weights = theirs(inputs, inputs, inputs, key_padding_mask=~mask, average_attn_weights=False)
    ours.keeps_weights = True
    torch.testing.assert_close(ours(inputs, mask=mask)[0], expected)
    torch.testing.assert_close(ours.weights, weights)
