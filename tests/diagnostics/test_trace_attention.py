"""Attention at one position by its formula: equal to the layers of dltool, which tests compare with torch's."""

import json
import math
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest
import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.attention import AttentionTrace, PositionsTrace
from dltool.diagnostics.trace.calls import CallRecording, Choice
from dltool.diagnostics.trace.formulas import formula_traces
from dltool.layers.attention import MultiHeadAttention
from dltool.layers.positions import LearnedPositions, RotaryPositions, SinusoidalPositions

Dltool = Callable[..., CompletedProcess[str]]


def trace_of(module: nn.Module, choice: Choice, *args: Tensor, **kwargs: object) -> AttentionTrace:
    with CallRecording(module).recording() as calls:
        module(*args, **kwargs)
    (trace,) = formula_traces(calls, choice)
    assert isinstance(trace, AttentionTrace)
    return trace


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_the_formula_is_the_layer(rotary: bool, causal: bool, bias: bool) -> None:
    torch.manual_seed(0)
    positions = RotaryPositions(9, 4) if rotary else None
    module = MultiHeadAttention(12, 3, dropout=0.5, bias=bias, rotary=positions).double()
    inputs, mask = torch.randn(2, 7, 12).double(), torch.arange(7)[None] < torch.tensor([[5], [7]])
    for position in (None, 0, 3):
        trace = trace_of(module, Choice(position=position, head=2), inputs, mask=mask, causal=causal)
        assert trace.error < 1e-12
        assert trace.position == (4 if position is None else position)  # Two positions are padding.
        torch.testing.assert_close(trace.weights.sum(1), torch.ones(3).double(), rtol=0, atol=1e-14)
        assert not trace.weights[:, 5:].any()
        torch.testing.assert_close(trace.scores, trace.products / math.sqrt(4))
        if causal:
            assert trace.allowed.tolist() == [key <= trace.position for key in range(5)] + [False] * 2


def test_cross_attention_and_torch() -> None:
    torch.manual_seed(0)
    module = MultiHeadAttention(8, 2).double().eval()
    inputs, memory = torch.randn(1, 3, 8).double(), torch.randn(1, 5, 8).double()
    trace = trace_of(module, Choice(position=1), inputs, memory)
    assert trace.error < 1e-12
    other = nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([module.query.weight, module.key_value.weight]))
        other.in_proj_bias.copy_(torch.cat([module.query.bias, module.key_value.bias]))
        other.out_proj.load_state_dict(module.output.state_dict())
        output, weights = other(inputs, memory, memory, average_attn_weights=False)
    torch.testing.assert_close(trace.weights, weights[0, :, 1], rtol=0, atol=1e-12)
    torch.testing.assert_close(trace.output, output[0, 1], rtol=0, atol=1e-12)


def test_rotation_by_the_angle() -> None:
    module = MultiHeadAttention(4, 1, rotary=RotaryPositions(6, 4)).double()
    trace = trace_of(module, Choice(position=5), torch.randn(1, 6, 4).double())
    a, b, c, d = trace.queries_before[0].tolist()
    fast, slow = 5.0, 5 * 10000**-0.5
    expected = [a * math.cos(fast) - c * math.sin(fast), b * math.cos(slow) - d * math.sin(slow)]
    assert trace.queries[0, :2].tolist() == pytest.approx(expected, abs=1e-6)  # The layer's angles are float32.


@pytest.mark.parametrize("kind", [LearnedPositions, SinusoidalPositions])
def test_added_positions(kind: type[nn.Module]) -> None:
    module = kind(6, 4).double()
    inputs = torch.randn(1, 6, 4).double()
    with CallRecording(module).recording() as calls:
        module(inputs)
    (trace,) = formula_traces(calls, Choice(position=3))
    assert isinstance(trace, PositionsTrace)
    assert trace.error == 0
    if kind is SinusoidalPositions:
        assert trace.vector[:2].tolist() == pytest.approx([math.sin(3), math.cos(3)], abs=1e-6)


def test_places_that_do_not_exist() -> None:
    module, inputs = MultiHeadAttention(8, 2).double(), torch.randn(1, 3, 8).double()
    with pytest.raises(ConfigError, match="2 heads"):
        trace_of(module, Choice(head=2), inputs)
    with pytest.raises(ConfigError, match="3 positions"):
        trace_of(module, Choice(position=3), inputs)
    with pytest.raises(ConfigError, match="the model has none"):
        formula_traces([], Choice(head=0))


@pytest.mark.parametrize(
    "words",
    [
        ("model=gpt", "data=pydoc", "model.positions=rotary", "data.length=12"),
        ("model=transformer_encoder", "data=digits"),
        ("model=transformer", "data=sorting"),
    ],
)
def test_the_command(words: tuple[str, ...], dltool_here: Dltool) -> None:
    small = ("model.dim=16", "model.depth=1", "model.num_heads=2", "trainer.threads=1")
    done = dltool_here("trace", *words, *small, "--head", "1")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "head 1 of 2" in done.stdout
    (step,) = json.loads(dltool_here("trace", *words, *small, "--json").stdout)
    attention = [one for one in step["formulas"] if one["what"] == "attention"]
    assert attention
    assert all(one["error"] < 1e-12 for one in attention)
    refused = dltool_here("trace", *words, *small, "--head", "2")
    assert (refused.returncode, "2 heads" in refused.stderr) == (2, True)
