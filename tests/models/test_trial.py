"""A network that is not dltool's is tried on one sample: labels beyond its head are told before the first step."""

from pathlib import Path

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.trial import check_outputs

TWELVE = DataSpec((4,), "classes", tuple("abcdefghijkl"), output_dim=12)
NUMBER = DataSpec((4,), "numbers", output_dim=1)


def test_the_width_that_the_data_wants_passes():
    model = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12)).train()
    check_outputs(model, TWELVE, "model=mine")
    assert model.training
    assert not model[1].num_batches_tracked, "the trial leaves no trace"
    check_outputs(nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)), NUMBER, "model=mine")


@pytest.mark.parametrize("spec", [TWELVE, NUMBER], ids=["classes", "numbers"])
def test_another_width(spec):
    with pytest.raises(
        ConfigError, match=rf"model=mine outputs \(1, 10\) for one sample.* must output \(1, {spec.output_dim}\)"
    ):
        check_outputs(nn.Linear(4, 10), spec, "model=mine")


def test_no_tensor():
    class Two(nn.Linear):
        def forward(self, x):
            return super().forward(x), torch.zeros(1)

    with pytest.raises(ConfigError, match="outputs a tuple for one sample"):
        check_outputs(Two(4, 12), TWELVE, "model=mine")


def test_what_fails_of_a_made_up_sample_is_left_to_the_first_step():
    model = nn.Sequential(nn.Embedding(5, 12))
    check_outputs(model, TWELVE, "model=mine")
    assert model.training


TEN = """
from torch import nn
from dltool.declarations.component import register

@register("model", "ten", inputs="any", tasks=("supervised",))
class Ten(nn.Sequential):
    def __init__(self, spec):
        super().__init__(nn.Flatten(), nn.Linear(spec.input_dim, 10))
"""


def test_a_trusted_model_with_a_head_of_its_own(dltool_here):
    Path("ten.py").write_text(TEN)
    assert dltool_here("check", "--trust", "ten.py", "model=ten", "data=digits").returncode == 0
    done = dltool_here("train", "--trust", "ten.py", "model=ten", "data=iris", "run.dir=run")
    assert done.returncode == 2
    assert "ten.py, line 6: model=ten outputs (1, 10) for one sample, and for this data, whose classes" in done.stderr
    assert "whose classes are 3, it must output (1, 3)" in done.stderr
    assert "hint: the width of its last layer must be spec.output_dim" in done.stderr
    assert not Path("run").exists()
