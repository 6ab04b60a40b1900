"""An attack between pixels and a model whose inputs are scaled."""

import pytest
import torch
from torch import nn

from dltool.attacks.adversary import Adversary
from dltool.attacks.pgd import PGD
from dltool.attacks.pixels import Pixels, as_logits
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.scaling import pixel_scaling

CLASSES = ("a", "b", "c")
IMAGES = torch.randint(256, (8, 2, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


class Net(nn.Module):
    """Takes what `data.scaling` gives and undoes it, so that all of them are the same function of pixels."""

    def __init__(self, shift: torch.Tensor, factor: torch.Tensor) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.shift, self.factor = shift, factor
        self.norm = nn.BatchNorm2d(2)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(32, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.layers(self.norm((inputs / self.factor + self.shift) / 255))


def spec_of(mode: str, classes: tuple[str, ...] = CLASSES) -> tuple[DataSpec, torch.Tensor, Net]:
    scaling = pixel_scaling(IMAGES, mode, torch.device("cpu"))  # type: ignore[arg-type]
    shift, factor = (tuple(values.flatten().tolist()) for values in (scaling.shift, scaling.factor))
    spec = DataSpec((2, 4, 4), class_names=classes, pixel_shift=shift, pixel_factor=factor)
    return spec, scaling(IMAGES), Net(scaling.shift, scaling.factor)


@pytest.mark.parametrize("mode", ["standardize", "symmetric", "none"])
def test_the_same_attack_whatever_the_scaling(mode: str) -> None:
    found = []
    for scaling in ("unit", mode):
        spec, inputs, model = spec_of(scaling)
        adversary = Adversary(PGD(eps=0.1, steps=3, norm="l2"), spec)
        torch.manual_seed(3)
        attacked = adversary.attacked(model, inputs, LABELS)
        found.append(adversary.pixels.of(attacked))
        assert (adversary.attack.ball.size(found[-1] - IMAGES / 255) <= 0.1 + 1e-5).all()
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=0)
    assert not torch.equal(found[0], IMAGES / 255)


@pytest.mark.parametrize("mode", ["unit", "standardize", "symmetric", "none"])
def test_pixels_and_back(mode: str) -> None:
    spec, inputs, _ = spec_of(mode)
    pixels = Pixels(spec)
    torch.testing.assert_close(pixels.of(inputs), IMAGES / 255)
    torch.testing.assert_close(pixels.scaled(IMAGES / 255), inputs, atol=1e-4, rtol=1e-5)


def test_leaves_modes_and_statistics_alone() -> None:
    """The whole model is in evaluation mode during the attack; a part that was before stays so."""
    spec, inputs, model = spec_of("unit")
    model.train()
    model.layers[1].eval()
    seen = []
    model.norm.register_forward_hook(lambda module, *_: seen.append(module.training))
    mean = model.norm.running_mean.clone()
    torch.manual_seed(0)
    first = Adversary(PGD(eps=0.1, steps=2), spec).attacked(model, inputs, LABELS)
    assert seen == [False, False]
    assert torch.equal(model.norm.running_mean, mean)
    assert [m.training for m in (model, model.norm, model.layers[1], model.layers[3])] == [True, True, False, True]
    torch.manual_seed(0)
    assert torch.equal(Adversary(PGD(eps=0.1, steps=2), spec).attacked(model, inputs, LABELS), first)


def test_counts_what_it_attacks_of_a_split() -> None:
    adversary = Adversary(PGD(num_samples=10), spec_of("unit")[0])
    adversary.start()
    assert [adversary.num_requested(8) for _ in range(3)] == [8, 2, 0]
    assert adversary.describe() == "pgd, 40 steps of 0.0187, L∞ eps 0.3 in pixels of [0, 1], the first 10 samples"
    adversary.start()
    assert adversary.num_requested(4) == 4
    assert Adversary(PGD(), spec_of("unit")[0]).num_requested(5000) == 5000


def test_one_output_is_two_logits() -> None:
    logits = torch.tensor([[-1.0], [2.0]])
    torch.testing.assert_close(as_logits(logits).softmax(1)[:, 1], logits.sigmoid()[:, 0])
    assert as_logits(torch.ones(2, 3)).shape == (2, 3)


def test_what_has_no_pixels_or_no_classes() -> None:
    with pytest.raises(ConfigError, match="inputs of this data are not images") as caught:
        Pixels(DataSpec((5,), class_names=CLASSES))
    assert caught.value.hint == "attack=none, or images: data=digits"
    with pytest.raises(ConfigError, match="targets are not classes"):
        Pixels(DataSpec((1, 8, 8), "numbers", pixel_shift=(0.0,), pixel_factor=(1.0,)))
