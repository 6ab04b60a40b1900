"""Evaluates a task on a split."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from dltool.core.batch import Batch
from dltool.distributed.team import SOLO, Team
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.metrics.metric import Metric
from dltool.metrics.running_means import RunningMeans
from dltool.tasks.task import Task


def sharing(task: Task, team: Team) -> Team:
    """The processes that share an evaluation of `task.split`: the whole team, or none if its results do not add up."""
    return team if team.size > 1 and team.from_first(task.evaluation_adds_up) else SOLO


def evaluate(
    task: Task,
    batches: Iterable[Batch | None],
    split: str = "",
    *,
    autocast: Any = contextlib.nullcontext(),  # noqa: B008 (has no state)
    between_batches: Callable[[], None] = lambda: None,
    team: Team = SOLO,
) -> dict[str, float]:
    """The task's metrics over a split: sums over all batches, finished once at the end.

    The model is in evaluation mode meanwhile, and in its earlier mode afterwards, also if `between_batches` raises
    to interrupt.

    Args:
        task: The task to evaluate.
        batches: The batches of the split; None in place of one that another process evaluates.
        split: Its name, for metrics that depend on it.
        autocast: The autocast context of the networks.
        between_batches: Called after each batch; may raise to interrupt.
        team: The processes that share the batches, which the task must allow; all get the same metrics.
    """
    sums = RunningMeans()
    task.split = split
    task.start_evaluation()
    with evaluation_mode(task.model), torch.no_grad(), autocast:
        for batch in batches:
            if batch is not None:
                sums.update(task.evaluate(batch))
            between_batches()
    if team.size > 1:
        add_up(team, [sums, *task.metrics.values()])
    metrics = task.finish_evaluation(sums.compute())
    uncounted = [name for name, mean in sums.fold().items() if not float(mean.count)]
    task.undefined = {**task.undefined, **dict.fromkeys(uncounted, "the split has nothing to count")}
    return metrics


def add_up(team: Team, parts: Sequence[RunningMeans | Metric]) -> None:
    """Replace each sum and metric by that of all processes, added in the order of the ranks."""
    for part, states in zip(parts, zip(*team.gather([part.state() for part in parts]), strict=True), strict=True):
        part.reset()
        for state in states:
            part.merge(state)
