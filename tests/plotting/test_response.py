"""The response figure: maps are torch's convolution, and a shift of the input by the stride shifts them exactly."""

import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
import torch.nn.functional as F
from places import NUMBERS_ONLY
from torch import nn

from dltool.diagnostics.response import forward_pass, moved_change, shift_response, shifted

Dltool = Callable[..., CompletedProcess[str]]


def network(**options: object) -> nn.Sequential:
    torch.manual_seed(0)
    convolution = nn.Conv2d(2, 3, 3, **options)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(5))


def test_a_shift_repeats_the_edge() -> None:
    image = torch.arange(4.0).view(1, 1, 1, 4)
    assert shifted(image, 1).flatten().tolist() == [0, 0, 1, 2]
    assert shifted(image, -2).flatten().tolist() == [2, 3, 3, 3]
    assert shifted(image, 0).equal(image)


def test_maps_are_the_convolution_and_pooling_of_torch() -> None:
    model, images = network(padding=1), torch.randn(2, 2, 9, 10)
    seen = forward_pass(model, images)
    assert seen is not None
    maps = F.conv2d(images, model[0].weight, model[0].bias, padding=1)
    torch.testing.assert_close(seen.maps, maps, rtol=0, atol=1e-6)
    assert seen.pooled is not None
    torch.testing.assert_close(seen.pooled, F.max_pool2d(maps.relu(), 2), rtol=0, atol=1e-6)
    assert seen.features is not None
    torch.testing.assert_close(seen.features, seen.pooled.flatten(1), rtol=0, atol=0)


@pytest.mark.parametrize(
    "options",
    [{}, {"padding": 1}, {"padding": "same"}, {"padding": "valid"}, {"stride": 2, "padding": 2}, {"dilation": 2}],
)
@pytest.mark.parametrize("steps", [-2, -1, 1, 3])
def test_a_shift_by_the_stride_moves_the_maps_exactly(options: dict, steps: int) -> None:
    model, images = network(**options), torch.randn(2, 2, 12, 20)
    shift = steps * model[0].stride[0]
    before, after = forward_pass(model, images), forward_pass(model, shifted(images, shift))
    assert before is not None
    assert after is not None
    assert moved_change(before, after, shift) < 1e-6
    assert not moved_change(before, before, shift) < 0.1  # Without the shift they differ.


def test_a_shift_that_the_stride_does_not_divide() -> None:
    model, images = network(stride=2), torch.randn(1, 2, 12, 20)
    response = shift_response(model, images, [-1, 0, 1, 2])
    assert [math.isnan(value) for value in response.moved] == [True, False, True, False]
    assert response.in_place[1] == 0 == response.features[1] == response.pooled[1]
    assert response.probability[1] == pytest.approx(float(model(images).detach().softmax(1).max()), abs=1e-6)
    assert response.in_place[3] > 0.1


def test_global_pooling_of_a_spot_is_invariant() -> None:
    convolution = nn.Conv2d(1, 3, 3)
    model = nn.Sequential(convolution, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    images = torch.zeros(1, 1, 9, 21)
    images[..., 3:6, 9:12] = torch.rand(3, 3)
    response = shift_response(model, images, [-4, 4])
    assert max(response.features) < 1e-6
    assert min(response.in_place) > 0.1


@pytest.mark.parametrize("model", ["lenet", "cnn"])
def test_the_command(model: str, dltool_here: Dltool) -> None:
    small = ("data=digits", "trainer.epochs=null", "trainer.steps=2", *NUMBERS_ONLY, "run.dir=run")
    done = dltool_here("train", f"model={model}", *small)
    assert done.returncode == 0, done.stderr
    done = dltool_here("plot", "run", "--figure", "response", "--output", "figures")
    assert done.returncode == 0, done.stderr
    assert Path("figures/response.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("model=mlp", "data=digits"), "no convolution that reads the image"),
        (("model=mlp", "data=iris"), "its inputs are not images"),
        (("model=unet", "data=digits", "task=diffusion"), "does not classify"),
    ],
)
def test_what_it_lacks(words: tuple[str, ...], reason: str, dltool_here: Dltool) -> None:
    small = ("trainer.epochs=null", "trainer.steps=1", *NUMBERS_ONLY, "trainer.test=none", "run.dir=run")
    done = dltool_here("train", *words, *small)
    assert done.returncode == 0, done.stderr
    assert reason in dltool_here("plot", "run", "--figure", "list").stdout
