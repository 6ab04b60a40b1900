"""The gates of a run's LSTM or GRU for the kept sample are those of its layers."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from places import NUMBERS_ONLY

from dltool.diagnostics.store import read_sample
from dltool.figures.memory import memory_picture
from dltool.plotting.memory import gates_of
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("model", ["lstm", "gru"])
def test_the_gates_are_those_of_the_layer(model: str, dltool_here: Dltool) -> None:
    small = ("model.hidden_dim=5", "trainer.epochs=null", "trainer.steps=3", *NUMBERS_ONLY)
    done = dltool_here("train", f"model={model}", "data=digits_rows", "diagnostics=default", *small, "run.dir=run")
    assert done.returncode == 0, done.stderr
    drawn = dltool_here("plot", "run", "--figure", "memory")
    assert drawn.returncode == 0, drawn.stderr
    assert Path("run/plots/memory.png").stat().st_size > 5000
    subject = loaded(Path("run").resolve())
    sample = read_sample(subject.folder)
    assert sample is not None
    (trace,) = gates_of(subject)
    network = subject.task.model
    with torch.no_grad():
        vectors, _ = network.inputs(sample["inputs"])
        features, last = network.layers.forwards(vectors)
    torch.testing.assert_close(trace.gates["h"], features[0], rtol=0, atol=1e-6)
    if model == "lstm":
        torch.testing.assert_close(trace.gates["c"][-1], last[1][0, 0], rtol=0, atol=1e-6)
    expected = trace.gates[trace.carry][1:].prod(0)
    torch.testing.assert_close(trace.direct_path[0], expected)


def test_a_sequence_of_one_step_and_states_of_zero() -> None:
    gates = {name: np.zeros((1, 2)) for name in "ifoch"}
    picture = memory_picture(gates, np.ones((1, 2)), carry="f")
    picture.canvas.draw()


def test_a_network_without_memory_has_no_such_figure(dltool_here: Dltool) -> None:
    words = ("model=mlp", "model.hidden=[4]", "data=moons", "diagnostics=default", "trainer.steps=2")
    done = dltool_here("train", *words, "trainer.epochs=null", *NUMBERS_ONLY, "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert "no LSTM" in dltool_here("plot", "run", "--figure", "list").stdout
