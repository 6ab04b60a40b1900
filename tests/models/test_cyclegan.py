import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.introspection.receptive_field import receptive_fields
from dltool.models.cyclegan import CycleGan, patch_discriminator, patch_side


def small(*shape: int, **fields: int) -> CycleGan:
    return CycleGan(DataSpec(shape, "images"), width=2, blocks=1, discriminator_width=2, **fields)


@pytest.mark.parametrize(("layers", "side"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_a_verdict_goes_by_a_patch_of_the_side_that_is_said(layers: int, side: int) -> None:
    class SampleEvaluator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = patch_discriminator(3, 4, layers)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.patches(images)
            return scores

    field = receptive_fields(SampleEvaluator(), DataSpec((3, 256, 256)))["patches"]
    assert field.size == f"{side}×{side}"
    assert patch_side(layers) == side


@pytest.mark.parametrize(
    ("shape", "layers", "patches"),
    [
        *(((1, 28, 28), 1, (12, 12)), ((1, 32, 32), 1, (14, 14)), ((3, 32, 32), 1, (14, 14))),
        *(((3, 64, 64), 2, (14, 14)), ((3, 64, 32), 1, (30, 14)), ((3, 256, 256), 3, (30, 30))),
    ],
)
def test_images_keep_their_shape_and_patches_fit(shape: tuple[int, ...], layers: int, patches: tuple[int, int]) -> None:
    model = small(*shape)
    images = torch.rand(2, *shape) * 2 - 1
    assert model.layers == model.choices["layers"] == layers
    for translator in model.generators.values():
        made = translator(images)
        assert made.shape == images.shape
        assert made.abs().max() <= 1
    assert model(images).shape == (2, 1, *patches)


def test_as_in_the_appendix() -> None:
    """c7s1-64, d128, d256, R256 × 9, u128, u64, c7s1-3 with biases, and C64-C128-C256-C512 and one verdict."""
    with torch.device("meta"):
        model = CycleGan(DataSpec((3, 256, 256), "images"))
    counts = {
        part: sum(p.numel() for p in getattr(model, part).parameters()) for part in ("generators", "discriminators")
    }
    maps = [(3, 64, 49), (64, 128, 9), (128, 256, 9), *[(256, 256, 9)] * 18, (256, 128, 9), (128, 64, 9), (64, 3, 49)]
    patches = [(3, 64, 16), (64, 128, 16), (128, 256, 16), (256, 512, 16), (512, 1, 16)]
    assert counts["generators"] == 2 * sum(a * b * k + b for a, b, k in maps)
    assert counts["discriminators"] == 2 * sum(a * b * k + b for a, b, k in patches)


def test_initial_weights() -> None:
    model = CycleGan(DataSpec((3, 32, 32), "images"), width=16, blocks=1)
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert layer.bias is not None
            assert not layer.bias.any()


def test_a_patch_larger_than_the_images() -> None:
    with pytest.raises(ConfigError, match=r"patches of 34×34 pixels, more than images of 32×32.* fit are 1 \(16×16\)"):
        small(1, 32, 32, layers=2)
    assert small(1, 64, 64, layers=1).layers == 1


@pytest.mark.parametrize(("size", "hint"), [((30, 30), "=32"), ((12, 12), "=16"), ((32, 37), "=[32,36]")])
def test_sizes_that_cannot_be_made(size: tuple[int, int], hint: str) -> None:
    with pytest.raises(ConfigError, match="multiples of 4, from 16 pixels on") as caught:
        small(1, *size)
    assert hint in str(caught.value.hint)
