"""The memory of a forward pass is what the tensors of one sample take at most at the same time."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from dltool.build.components import build_model
from dltool.config.check import Config
from dltool.core.spec import DataSpec
from dltool.data.evaluation_batch import fitting_batch
from dltool.introspection.forward_memory import sample_bytes

CPU = torch.device("cpu")
ROWS = DataSpec(input_shape=(30,), target="classes", class_names=("a", "b"), output_dim=2)
IMAGES = replace(ROWS, input_shape=(1, 32, 32))


def test_a_perceptron_keeps_its_inputs_and_two_hidden_layers() -> None:
    """While the rectifier computes, the inputs, the linear outputs and its own outputs live."""
    model = nn.Sequential(nn.Linear(30, 50), nn.ReLU(), nn.Linear(50, 2))
    assert sample_bytes(model, ROWS) == 4 * (30 + 50 + 50)
    model[1] = nn.ReLU(inplace=True)
    assert sample_bytes(model, ROWS) == 4 * (30 + 50 + 2)


def test_images_take_what_their_maps_take() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 16 * 16, 2))
    pooled = 8 * 16 * 16
    assert sample_bytes(model, IMAGES) == 4 * (32 * 32 + 8 * 32 * 32 + pooled) + 8 * pooled  # Where each largest was.


class OfWeights(nn.Module):
    """Computes weights from weights, as equalized rates and masks do, and draws at random."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1000, 30))
        self.trained_on = 0

    def forward(self, rows: Tensor) -> Tensor:
        self.trained_on += self.training
        return rows @ (2 * self.weight + 1).t() + torch.rand(1)


def test_what_does_not_grow_with_the_batch_is_the_models() -> None:
    torch.manual_seed(3)
    model, before = OfWeights(), torch.get_rng_state()
    assert sample_bytes(model, ROWS) == 4 * (30 + 2 * 1000)
    assert torch.get_rng_state().equal(before)
    assert model.training
    assert model.trained_on == 0


class NeedsTwo(nn.Module):
    def forward(self, rows: Tensor, others: Tensor) -> Tensor:
        return rows + others


def test_a_model_that_takes_more_than_its_inputs_is_not_measured() -> None:
    assert sample_bytes(NeedsTwo(), ROWS) is None


@pytest.mark.parametrize(
    ("options", "shape", "batch"),
    [
        (["model=mlp"], (1, 28, 28), 512),
        (["model=cnn"], (1, 28, 28), 512),
        (["model=lenet"], (1, 32, 32), 512),
        (["model=resnet20"], (3, 32, 32), 512),
        (["model=resnet18"], (3, 224, 224), 32),  # 6.7 MB a sample; 7 as measured with /usr/bin/time.
        (["model=alexnet"], (1, 227, 227), 32),
    ],
)
def test_the_batches_that_models_get(
    options: list[str], shape: tuple[int, ...], batch: int, configure: Callable[..., Config]
) -> None:
    spec = replace(ROWS, input_shape=shape)
    assert fitting_batch(sample_bytes(build_model(configure(*options), spec, CPU), spec), shape) == batch


def test_measuring_imports_no_compiler() -> None:
    """Torch's would take two seconds at the start of every training, and 100 MB."""
    script = (
        "import sys, torch\n"
        "from dltool.introspection.forward_memory import sample_bytes\n"
        "from dltool.core.spec import DataSpec\n"
        "model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))\n"
        "assert sample_bytes(model, DataSpec(input_shape=(3,), target='none')) == 4 * (3 + 4 + 4)\n"
        "assert not {'torch._dynamo', 'sympy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
