"""The 2-2-2 example of backpropagation that many lectures use (Mazur 2015), from the command line."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

NETWORK = ["model=mlp", "model.hidden=[2]", "model.activation=sigmoid", "model.output_activation=sigmoid"]
STEP = ["data=example", "optim=sgd", "optim.lr=0.5", "loss=mse", "loss.reduction=half", "trainer.device=cpu"]
INITIAL = "model.initial=[[[0.15,0.2],[0.25,0.3]],[0.35,0.35],[[0.4,0.45],[0.5,0.55]],[0.6,0.6]]"


def test_the_numbers_of_the_lectures(dltool_here: Callable[..., CompletedProcess[str]]) -> None:
    done = dltool_here("trace", *NETWORK, *STEP, INITIAL, "--json")
    assert done.returncode == 0, done.stderr
    (step,) = json.loads(done.stdout)
    first, _, second, _ = step["parameters"]
    assert step["loss"] == pytest.approx(0.298371109, abs=5e-10)
    assert second["after"][0][0] == pytest.approx(0.35891648, abs=5e-9)
    assert first["after"][0][0] == pytest.approx(0.14978072, abs=5e-9)
    assert first["before"] == [[0.15, 0.2], [0.25, 0.3]]  # Not float32's 0.1500000059.
    assert step["inputs"] == [[0.05, 0.1]]
