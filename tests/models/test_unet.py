import pytest
import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.models.unet import UNet, sinusoids

NAMES = ("a", "b", "c")


def make(shape=(1, 8, 8), **settings):
    torch.manual_seed(0)
    return UNet(DataSpec(shape, class_names=NAMES), **{"width": 8, "blocks": 1, **settings})


def awake(model):
    """With last layers that are not zero."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    return model


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 7, 9), (2, 1, 5)])
@pytest.mark.parametrize("multipliers", [[1], [1, 2], [1, 2, 3]])
def test_images_of_any_size(shape, multipliers):
    model = make(shape, multipliers=multipliers, blocks=2)
    assert model(torch.randn(2, *shape), torch.rand(2)).shape == (2, *shape)


def test_it_begins_at_zero():
    assert torch.equal(make()(torch.randn(2, 1, 8, 8)), torch.zeros(2, 1, 8, 8))


def test_time_and_class_matter_and_no_class_is_one_more():
    model, images, times = awake(make(condition="class")), torch.randn(4, 1, 8, 8), torch.full((4,), 0.5)
    assert model.num_classes == 3
    by_class = [model(images, times, torch.full((4,), label)) for label in range(4)]
    assert all(not torch.allclose(by_class[i], by_class[j], atol=1e-4) for i in range(4) for j in range(i))
    assert torch.equal(model(images, times), by_class[3])
    assert not torch.allclose(model(images, times / 2), by_class[3], atol=1e-4)
    assert torch.equal(model(images), model(images, torch.zeros(4)))


def test_an_unconditional_one_has_no_classes():
    model = make()
    assert model.num_classes == 0
    assert model.embed_class is None


def test_every_parameter_is_trained():
    model = awake(make(condition="class", multipliers=[1, 2]))
    model(torch.randn(4, 1, 8, 8), torch.rand(4), torch.tensor([0, 1, 2, 3])).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_attention_connects_all_positions():
    reach = {}
    for attention in (False, True):
        model = awake(make((1, 32, 32), multipliers=[1], attention=attention))
        for module in model.modules():  # A group norm connects all positions too.
            if isinstance(module, nn.GroupNorm):
                module.forward = lambda maps: maps
        images = torch.randn(1, 1, 32, 32, requires_grad=True)
        model(images)[0, 0, 0, 0].backward()
        reach[attention] = bool(images.grad[0, 0, 31, 31] != 0)
    assert reach == {False: False, True: True}


def test_sinusoids():
    table = sinusoids(torch.tensor([0.0, 1.0, 250.0]), 4)
    expected = [[0.0, 0.0, 1.0, 1.0]]
    for t in (1.0, 250.0):
        angles = torch.tensor([t, t / 100])
        expected.append([*angles.sin().tolist(), *angles.cos().tolist()])
    assert torch.allclose(table, torch.tensor(expected), atol=1e-5)
