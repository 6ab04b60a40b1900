"""LSTM and GRU step by step: torch's layers, and the direct path of the gradient that of autograd."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.calls import CallRecording, Choice
from dltool.diagnostics.trace.formulas import formula_traces
from dltool.diagnostics.trace.recurrent import RecurrentTrace
from dltool.diagnostics.unrolled import unrolled

Dltool = Callable[..., CompletedProcess[str]]
KINDS: list[type[nn.LSTM] | type[nn.GRU]] = [nn.LSTM, nn.GRU]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_every_step_is_torchs(
    kind: type[nn.LSTM] | type[nn.GRU], bias: bool, dtype: torch.dtype, tolerance: float
) -> None:
    torch.manual_seed(0)
    module = kind(3, 5, num_layers=2, bias=bias, batch_first=True).to(dtype)
    inputs = torch.randn(1, 9, 3, dtype=dtype)
    state = torch.randn(2, 1, 5, dtype=dtype)
    given = (state, state.flip(0)) if kind is nn.LSTM else state
    parts = [part[:, 0] for part in (given if isinstance(given, tuple) else (given,))]
    for start, numbers in ((None, None), (given, parts)):
        with torch.no_grad():
            features, last = module(inputs, start)
        layers = unrolled(module, inputs[0], numbers)
        torch.testing.assert_close(layers[-1].gates["h"], features[0], rtol=0, atol=tolerance)
        for depth, layer in enumerate(layers):
            ends = last if isinstance(last, tuple) else (last,)
            for name, end in zip("hc", ends, strict=False):
                torch.testing.assert_close(layer.gates[name][-1], end[depth, 0], rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_the_direct_path_is_autograd_without_the_others(kind: type[nn.LSTM] | type[nn.GRU]) -> None:
    torch.manual_seed(0)
    module = kind(3, 4, batch_first=True).double()
    layer = unrolled(module, torch.randn(6, 3).double())[0]
    gates = layer.gates
    states = [torch.zeros(4).double().requires_grad_()]
    for t in range(6):  # The gates are constants: only c_{t-1}, or h_{t-1} of a GRU, carries a gradient.
        if kind is nn.LSTM:
            states.append(gates["f"][t] * states[-1] + gates["i"][t] * gates["c̃"][t])
        else:
            states.append((1 - gates["z"][t]) * gates["n"][t] + gates["z"][t] * states[-1])
    torch.testing.assert_close(states[-1].detach(), gates["c" if kind is nn.LSTM else "h"][-1])
    for t in range(6):
        (slope,) = torch.autograd.grad(states[-1].sum(), states[t + 1], retain_graph=True)
        torch.testing.assert_close(layer.direct_path()[t], slope, rtol=0, atol=1e-12)


def test_a_sequence_of_one_step() -> None:
    layer = unrolled(nn.LSTM(2, 3), torch.zeros(1, 2))[0]
    assert layer.direct_path().tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("batch_first", [True, False])
def test_the_trace_of_a_module(batch_first: bool) -> None:
    module = nn.GRU(3, 4, num_layers=2, dropout=0.5, batch_first=batch_first).double()
    with CallRecording(module).recording() as calls:
        module(torch.randn(2, 2, 3).double())
    traces = formula_traces(calls, Choice(unit=3, position=1))
    assert len(traces) == 2
    assert all(isinstance(one, RecurrentTrace) and one.error < 1e-12 for one in traces)
    with pytest.raises(ConfigError, match="4 units"):
        formula_traces(calls, Choice(unit=4))


def test_a_module_that_reads_backwards_is_left_out() -> None:
    module = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
    with CallRecording(module).recording() as calls:
        module(torch.randn(1, 2, 3))
    assert formula_traces(calls, Choice()) == []


@pytest.mark.parametrize("words", [("model=lstm",), ("model=gru", "model.bidirectional=true")])
def test_the_command(words: tuple[str, ...], dltool_here: Dltool) -> None:
    small = (*words, "data=digits_rows", "model.hidden_dim=6", "model.num_layers=2", "trainer.threads=1")
    done = dltool_here("trace", *small, "--unit", "5", "--position", "3")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "unit 5 of 6, step 3 of 8" in done.stdout
    (step,) = json.loads(dltool_here("trace", *small, "--json").stdout)
    found = [one for one in step["formulas"] if one["what"] == "recurrent"]
    assert len(found) == (2 if words == ("model=lstm",) else 4)
    assert all(one["error"] < 1e-12 for one in found)
