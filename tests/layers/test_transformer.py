import pytest
import torch
from torch import nn

from dltool.layers.transformer import BlockSettings, TransformerBlock

B, T, U, D = 3, 5, 7, 8
SETTINGS = BlockSettings(dim=D, num_heads=2, hidden_dim=16)


def copied(block, theirs):
    """torch's own layer with the block's weights."""

    def attention(ours, module):
        module.in_proj_weight.data = torch.cat((ours.query.weight, ours.key_value.weight)).data
        module.in_proj_bias.data = torch.cat((ours.query.bias, ours.key_value.bias)).data
        module.out_proj.load_state_dict(ours.output.state_dict())

    attention(block.self_attention, theirs.self_attn)
    norms = [block.self_attention_norm, block.feed_forward_norm]
    if block.cross_attention is not None:
        attention(block.cross_attention, theirs.multihead_attn)
        norms.insert(1, block.cross_attention_norm)
    for norm in norms:
        nn.init.normal_(norm.weight)
    for i, norm in enumerate(norms, 1):
        getattr(theirs, f"norm{i}").load_state_dict(norm.state_dict())
    theirs.linear1.load_state_dict(block.feed_forward[0].state_dict())
    theirs.linear2.load_state_dict(block.feed_forward[2].state_dict())
    return theirs


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_block_equals_torch_s(norm, activation):
    torch.manual_seed(0)
    block = TransformerBlock(SETTINGS._replace(norm=norm, activation=activation))
    theirs = copied(
        block,
        nn.TransformerEncoderLayer(
            D, 2, 16, dropout=0.0, activation=activation, batch_first=True, norm_first=norm == "pre"
        ),
    )
    inputs, mask = torch.randn(B, T, D), torch.arange(T) < torch.tensor([[5], [3], [1]])
    torch.testing.assert_close(block(inputs, mask=mask)[0], theirs(inputs, src_key_padding_mask=~mask))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_decoder_block_equals_torch_s(norm):
    torch.manual_seed(0)
    block = TransformerBlock(SETTINGS._replace(norm=norm), cross_attention=True)
    theirs = copied(
        block, nn.TransformerDecoderLayer(D, 2, 16, dropout=0.0, batch_first=True, norm_first=norm == "pre")
    )
    inputs, memory = torch.randn(B, T, D), torch.randn(B, U, D)
    memory_mask = torch.arange(U) < torch.tensor([[7], [3], [1]])
    outputs, _ = block(inputs, causal=True, memory=memory, memory_mask=memory_mask)
    causal = nn.Transformer.generate_square_subsequent_mask(T)
    expected = theirs(inputs, memory, tgt_mask=causal, tgt_is_causal=True, memory_key_padding_mask=~memory_mask)
    torch.testing.assert_close(outputs, expected)


def test_dropout_is_off_in_evaluation():
    block = TransformerBlock(SETTINGS._replace(dropout=0.5))
    inputs = torch.randn(B, T, D)
    assert not torch.equal(block(inputs)[0], block(inputs)[0])
    block.eval()
    assert torch.equal(block(inputs)[0], block(inputs)[0])
