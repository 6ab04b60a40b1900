import pytest
import torch
import torchvision

from dltool.core.spec import DataSpec
from dltool.models.vit import VisionTransformer

NAMES = tuple("abc")


def spec(*shape):
    return DataSpec(shape, "classes", NAMES, output_dim=3)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 32), (3, 30, 45)])
@pytest.mark.parametrize("pooling", ["class", "mean"])
def test_any_channels_and_sizes(shape, pooling):
    model = VisionTransformer(spec(*shape), dim=12, num_heads=3, depth=1, pooling=pooling, dropout=0.1)
    outputs = model(torch.randn(2, *shape))
    assert outputs.shape == (2, 3)
    outputs.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(("side", "patch"), [(32, 4), (64, 8), (128, 16)])
def test_patches_follow_the_size(side, patch):
    model = VisionTransformer(spec(3, side, side), dim=12, num_heads=3, depth=1)
    assert model.choices == {"patch": patch}
    assert model.embedding.kernel_size == (patch, patch)


def test_a_given_patch_is_kept():
    assert VisionTransformer(spec(3, 32, 32), patch=8, dim=12, num_heads=3, depth=1).choices == {}


def test_equals_torchvision_s():
    torch.manual_seed(0)
    ours = VisionTransformer(spec(3, 32, 32), patch=8, dim=12, num_heads=3, depth=2, hidden_factor=2)
    theirs = torchvision.models.VisionTransformer(32, 8, 2, 3, 12, 24, num_classes=3)
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    encoder = theirs.encoder
    theirs.conv_proj.load_state_dict(ours.embedding.state_dict())
    theirs.class_token.data = ours.class_token.data[None, None]
    encoder.pos_embedding.data = ours.positions.table.data[None]
    encoder.ln.load_state_dict(ours.norm.state_dict())
    theirs.heads.head.load_state_dict(ours.head.state_dict())
    for block, layer in zip(ours.blocks, encoder.layers, strict=True):
        layer.ln_1.load_state_dict(block.self_attention_norm.state_dict())
        layer.ln_2.load_state_dict(block.feed_forward_norm.state_dict())
        query, key_value = block.self_attention.query, block.self_attention.key_value
        layer.self_attention.in_proj_weight.data = torch.cat((query.weight, key_value.weight)).data
        layer.self_attention.in_proj_bias.data = torch.cat((query.bias, key_value.bias)).data
        layer.self_attention.out_proj.load_state_dict(block.self_attention.output.state_dict())
        layer.mlp[0].load_state_dict(block.feed_forward[0].state_dict())
        layer.mlp[3].load_state_dict(block.feed_forward[2].state_dict())
    for norm in [encoder.ln, *(n for layer in encoder.layers for n in (layer.ln_1, layer.ln_2))]:
        norm.eps = 1e-5  # Theirs is 1e-6.
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images), atol=1e-5, rtol=1e-5)
