"""The gates of an LSTM or a GRU over the positions of one training sample."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from dltool.core.batch import Batch
from dltool.diagnostics.probe import restored
from dltool.diagnostics.store import read_sample
from dltool.diagnostics.trace.calls import DEFAULT, CallRecording
from dltool.diagnostics.trace.formulas import formula_traces
from dltool.diagnostics.trace.recurrent import RecurrentTrace
from dltool.figures.memory import memory_picture
from dltool.figures.words import word
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.layers.uncompiled import uncompiled
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject


class MemoryFigure:
    """i, f, o, c, h of each unit over time, and ∏ f, the direct path of the gradient."""

    name = "memory"
    summary = "the gates and states of an LSTM or a GRU over one training sample, and the direct path of the gradient"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not any(isinstance(module, nn.LSTM | nn.GRU) for module in subject.task.model.modules()):
            return "its model has no LSTM and no GRU"
        if not subject.task.has_objective:
            return "its training does not minimize one loss"
        if read_sample(subject.folder) is None:
            return "no training sample was kept (diagnostics=default keeps one)"
        if not gates_of(subject):
            return "its model does not read the sample by an LSTM or a GRU that reads forwards"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        traces = gates_of(subject)

        def files(number: int) -> str:
            return "memory" if len(traces) == 1 else f"memory_{number}"

        return {
            files(number): partial(
                memory_picture,
                {name: values.float().cpu().numpy() for name, values in trace.gates.items()},
                trace.direct_path.float().cpu().numpy(),
                carry=trace.carry,
                title=memory_title(subject.title, trace),
                note=subject.note(),
            )
            for number, trace in enumerate(traces)
        }


def memory_title(title: str, trace: RecurrentTrace) -> str:
    facts = {"title": title, "kind": trace.kind, "name": trace.name, "layer": trace.layer}
    return word("{title}: {kind} {name}, layer {layer}, one training sample", **facts)


def gates_of(subject: Subject) -> list[RecurrentTrace]:
    """The gates in each layer that reads forwards, for the kept sample, in evaluation mode."""
    sample, task = read_sample(subject.folder), subject.task
    assert sample is not None
    device = next(task.model.parameters()).device
    batch = Batch(sample["inputs"].to(device), sample["targets"].to(device), 1)
    with (
        restored(task, device),
        evaluation_mode(task.model),
        uncompiled(task.model),
        torch.no_grad(),
        CallRecording(task.model).recording() as calls,
    ):
        task.loss(batch)
    recurrent = [call for call in calls if isinstance(call.module, nn.LSTM | nn.GRU)]
    return [trace for trace in formula_traces(recurrent, DEFAULT) if isinstance(trace, RecurrentTrace)]
