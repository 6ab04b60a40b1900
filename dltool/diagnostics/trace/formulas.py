"""The layers of a training step by their formulas, each at one place."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.attention import AttentionTrace, PositionsTrace, attention_trace, positions_trace
from dltool.diagnostics.trace.calls import Call, Choice
from dltool.diagnostics.trace.maps import (
    ConvolutionTrace,
    FlattenTrace,
    PoolingTrace,
    adaptive_pooling_trace,
    average_pooling_trace,
    convolution_trace,
    flatten_trace,
    max_pooling_trace,
)
from dltool.diagnostics.trace.recurrent import RecurrentTrace, recurrent_traces

FormulaTrace = AttentionTrace | PositionsTrace | RecurrentTrace | ConvolutionTrace | PoolingTrace | FlattenTrace


class Group(NamedTuple):
    """Kinds of calls with the same choices.

    Attributes:
        title: In messages.
        flags: The choices that concern them.
        traces: The kind of a call to the function that computes it, to one trace, several, or None.
    """

    title: str
    flags: tuple[str, ...]
    traces: dict[str, Callable[[Call, Choice], Any]]


GROUPS = (
    Group(
        "positions added to vectors",
        ("position",),
        {"LearnedPositions": positions_trace, "SinusoidalPositions": positions_trace},
    ),
    Group("attention", ("position", "head"), {"MultiHeadAttention": attention_trace}),
    Group("LSTM and GRU layers", ("position", "unit"), {"LSTM": recurrent_traces, "GRU": recurrent_traces}),
    Group(
        "the maps of convolutions",
        ("place", "channel"),
        {
            "conv2d": convolution_trace,
            "conv_transpose2d": convolution_trace,
            "max_pool2d": max_pooling_trace,
            "avg_pool2d": average_pooling_trace,
            "adaptive_avg_pool2d": adaptive_pooling_trace,
            "flatten": flatten_trace,
        },
    ),
)


def formula_traces(calls: Sequence[Call], choice: Choice) -> list[FormulaTrace]:
    """Compute every call at the chosen place; layers without this place are left out.

    Raises:
        ConfigError: The choice concerns no layer of the network, or no layer has the place.
    """
    found: list[FormulaTrace] = []
    used: set[str] = set()
    for group in GROUPS:
        chosen = [call for call in calls if call.kind in group.traces]
        traces, refused = [], []
        for call in chosen:
            try:
                traces.append(group.traces[call.kind](call, choice))
            except ConfigError as error:
                refused.append(error)
        if refused and not traces:
            raise refused[0]
        made = [one for trace in traces for one in (trace if isinstance(trace, list) else [trace]) if one is not None]
        used |= set(group.flags) if made else set()
        found += made
    for flag, value in choice._asdict().items():
        if value is not None and flag not in used:
            titles = " or ".join(group.title for group in GROUPS if flag in group.flags)
            raise ConfigError(f"--{flag} chooses the place in {titles}, but the model has none", f"without --{flag}")
    return found
