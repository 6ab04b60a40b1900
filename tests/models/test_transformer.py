import math

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import PAD, DataSpec
from dltool.models.transformer import Transformer

V, W, S, U, D = 11, 13, 8, 7, 12


def spec(**more):
    facts = {"output_dim": W, "num_tokens": V, "num_target_tokens": W, "max_target_length": U, "padded": True, **more}
    return DataSpec((S,), "sequence", **facts)


def small(facts=None, **options):
    torch.manual_seed(0)
    model = Transformer(facts or spec(), **{"dim": D, "num_heads": 3, "depth": 2, "hidden_dim": 16, **options}).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model


def pair(batch=3):
    return torch.randint(1, V, (batch, S)), torch.randint(1, W, (batch, U))


def take_attention(ours, theirs):
    theirs.in_proj_weight.data = torch.cat((ours.query.weight, ours.key_value.weight)).data
    theirs.in_proj_bias.data = torch.cat((ours.query.bias, ours.key_value.bias)).data
    theirs.out_proj.load_state_dict(ours.output.state_dict())


def take_block(block, layer):
    take_attention(block.self_attention, layer.self_attn)
    norms = [block.self_attention_norm, block.feed_forward_norm]
    if block.cross_attention is not None:
        take_attention(block.cross_attention, layer.multihead_attn)
        norms.insert(1, block.cross_attention_norm)
    for i, norm in enumerate(norms, 1):
        getattr(layer, f"norm{i}").load_state_dict(norm.state_dict())
    layer.linear1.load_state_dict(block.feed_forward[0].state_dict())
    layer.linear2.load_state_dict(block.feed_forward[2].state_dict())


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_equals_torch_s_transformer(norm):
    model = small(norm=norm)
    theirs = nn.Transformer(D, 3, 2, 2, 16, 0.0, batch_first=True, norm_first=norm == "pre").eval()
    for ours, stack, last in [
        (model.encoder, theirs.encoder, model.encoder_norm),
        (model.decoder, theirs.decoder, model.decoder_norm),
    ]:
        for block, layer in zip(ours, stack.layers, strict=True):
            take_block(block, layer)
        if norm == "pre":
            stack.norm.load_state_dict(last.state_dict())
        else:
            stack.norm = None
    source, target = pair()
    source[1, 5:] = PAD
    ours = model(source, target)
    features = [
        math.sqrt(D) * embedding.vectors.weight[tokens] + embedding.positions.table
        for embedding, tokens in [(model.source_embedding, source), (model.target_embedding, target)]
    ]
    hidden = source == PAD
    expected = theirs(
        *features,
        tgt_mask=nn.Transformer.generate_square_subsequent_mask(U),
        tgt_is_causal=True,
        src_key_padding_mask=hidden,
        memory_key_padding_mask=hidden,
    )
    torch.testing.assert_close(ours, model.head(expected))


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
@pytest.mark.parametrize("embeddings", ["separate", "tied"])
def test_word_by_word_gives_what_all_at_once_does(positions, embeddings):
    model = small(positions=positions, embeddings=embeddings)
    source, target = pair()
    memory, state, parts = model.encode(source), None, []
    for start, stop in [(0, 1), (1, 2), (2, 5), (5, 7)]:
        part, state = model.decode(target[:, start:stop], memory, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), model(source, target))


def test_padding_changes_nothing():
    model = small()
    source, target = pair(2)
    short, words = source[:, :5], target[:, :4]
    padded = torch.cat((short, torch.full((2, 3), PAD)), dim=1)
    more_words = torch.cat((words, torch.full((2, 3), PAD)), dim=1)
    torch.testing.assert_close(model(padded, more_words)[:, :4], model(short, words))


def test_no_word_sees_a_later_one_but_all_see_the_source():
    model = small()
    source, target = pair(2)
    before = model(source, target)
    changed = target.clone()
    changed[:, 4] = target[:, 4] % (W - 1) + 1
    torch.testing.assert_close(model(source, changed)[:, :4], before[:, :4])
    assert (model(source, changed)[:, 4:] - before[:, 4:]).abs().max() > 1e-3
    changed = source.clone()
    changed[:, -1] = source[:, -1] % (V - 1) + 1
    assert (model(changed, target) - before).abs().amax(dim=2).min() > 1e-4


def test_selected_rows_go_on_as_alone():
    model = small()
    source, target = pair()
    source[0, 4:] = PAD
    memory = model.encode(source)
    _, state = model.decode(target[:, :4], memory)
    rows = torch.tensor([2, 0, 2, 1])
    outputs, _ = model.decode(target[rows, 4:5], model.select_memory(memory, rows), model.select(state, rows))
    torch.testing.assert_close(outputs[:, 0], model(source, target)[rows, 4])


def test_embeddings_that_are_one():
    counts = {}
    one_vocabulary = spec(num_tokens=W)
    for embeddings in ("separate", "tied", "shared"):
        model = small(one_vocabulary, embeddings=embeddings)
        counts[embeddings] = sum(p.numel() for p in model.parameters())
        assert model(*pair()).shape == (3, U, W)
    assert counts["separate"] - counts["tied"] == W * D + W
    assert counts["tied"] - counts["shared"] == W * D
    with pytest.raises(ConfigError, match="source has 11 tokens and the target 13"):
        small(embeddings="shared")


def test_a_source_of_numbers():
    model = small(DataSpec((S, 4), "sequence", output_dim=W, num_target_tokens=W, max_target_length=U, padded=True))
    assert model(torch.randn(3, S, 4), pair()[1]).shape == (3, U, W)


def test_longer_than_the_positions():
    source, target = pair()
    with pytest.raises(DataError, match="a sequence of 9 is longer than the model's 8 positions"):
        small().encode(torch.ones(1, 9, dtype=torch.int64))
    with pytest.raises(DataError, match="a sequence of 8 is longer than the model's 7 positions"):
        small()(source, torch.cat((target, target[:, :1]), dim=1))


@pytest.mark.parametrize("embeddings", ["separate", "shared"])
def test_every_parameter_learns(embeddings):
    model = Transformer(spec(num_tokens=W), dim=D, num_heads=3, depth=1, hidden_dim=16, embeddings=embeddings)
    model(*pair()).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
