"""Convolution, transposed convolution and pooling at one place by their formulas: torch's numbers."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.calls import CallRecording, Choice
from dltool.diagnostics.trace.formulas import formula_traces

Dltool = Callable[..., CompletedProcess[str]]


def traces_of(module: nn.Module, inputs: torch.Tensor, choice: Choice) -> list[Any]:
    with torch.no_grad(), CallRecording(module).recording() as calls:
        module(inputs)
    return formula_traces(calls, choice)


CONVOLUTIONS = [
    nn.Conv2d(3, 4, 3),
    nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 2)),
    nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3, bias=False),
    nn.Conv2d(3, 4, 5, padding="same"),
    nn.Conv2d(3, 4, 4, padding="same"),
    nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
    nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1),
    nn.ConvTranspose2d(3, 6, 5, stride=2, padding=2, output_padding=1, bias=False),
    nn.ConvTranspose2d(3, 6, (2, 3), stride=(3, 1), dilation=(1, 2), groups=3),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.MaxPool2d(2, dilation=2, ceil_mode=True),
    nn.AvgPool2d(2),
    nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
    nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    nn.AdaptiveAvgPool2d((3, 2)),
    nn.Flatten(),
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("module", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_every_number_is_that_of_torch(module: nn.Module, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 7, 8, dtype=dtype)
    outputs = module.to(dtype)(inputs).detach()
    shape = outputs.shape[1:] if outputs.ndim == 4 else inputs.shape[1:]
    for channel in range(shape[0]):
        for row in range(shape[1]):
            for column in range(shape[2]):
                (trace,) = traces_of(module, inputs, Choice(place=(row, column), channel=channel))
                assert trace.error <= tolerance
                if outputs.ndim == 4:
                    assert trace.result == pytest.approx(float(outputs[0, channel, row, column]), abs=tolerance)


def test_a_convolution_by_hand() -> None:
    module = nn.Conv2d(1, 1, 2, padding=1).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[[[1.0, 2], [3, 4]]]]))
        module.bias.fill_(0.5)
    inputs = torch.tensor([[[[5.0, 6], [7, 8]]]]).double()
    (corner,) = traces_of(module, inputs, Choice(place=(0, 0)))
    assert corner.inside.tolist() == [[False, False], [False, True]]
    assert corner.products[0].tolist() == [[0, 0], [0, 20]]
    (middle,) = traces_of(module, inputs, Choice())
    assert middle.place == (1, 1)
    assert (middle.products[0].tolist(), middle.result) == ([[5, 12], [21, 32]], 70.5)


def test_a_later_operation_in_place_does_not_change_the_output() -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(inplace=True)).double()
    torch.manual_seed(0)
    for place in ((0, 0), (1, 1), (2, 0)):
        (trace,) = traces_of(module, torch.randn(1, 1, 5, 5).double(), Choice(place=place))
        assert trace.error < 1e-12


def test_layers_without_the_place_are_left_out() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Conv2d(2, 5, 3))
    inputs = torch.randn(1, 1, 12, 12)
    assert [one.name for one in traces_of(module, inputs, Choice(place=(4, 4)))] == ["0", "1"]
    assert [one.name for one in traces_of(module, inputs, Choice(channel=4))] == ["2"]
    with pytest.raises(ConfigError, match="2 channels of 10×10"):
        traces_of(module, inputs, Choice(place=(10, 0)))
    with pytest.raises(ConfigError, match="the model has none"):
        traces_of(nn.Linear(2, 2), torch.randn(1, 2), Choice(channel=0))


@pytest.mark.parametrize(
    "words",
    [
        ("model=lenet",),
        ("model=cnn", "model.channels=[4,6]"),
        ("model=autoencoder", "model.architecture=conv", "model.channels=[4,6]"),
    ],
)
def test_the_command(words: tuple[str, ...], dltool_here: Dltool) -> None:
    done = dltool_here("trace", *words, "trainer.threads=1", "--place", "1,2", "--channel", "1")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "channel 1 at (1, 2)" in done.stdout
    (step,) = json.loads(dltool_here("trace", *words, "trainer.threads=1", "--json").stdout)
    found = [one for one in step["formulas"] if one["what"] == "convolution"]
    assert found
    assert all(one["error"] < 1e-12 for one in step["formulas"])
    assert ("conv_transpose2d" in {one["kind"] for one in found}) == (words[0] == "model=autoencoder")


@pytest.mark.parametrize("flags", [("--place", "3"), ("--place", "-1,2"), ("--place", "99,0"), ("--channel", "-1")])
def test_odd_places(flags: tuple[str, ...], dltool_here: Dltool) -> None:
    done = dltool_here("trace", "model=lenet", "trainer.threads=1", *flags)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
