"""Evaluates a task on a split."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import torch

from dltool.core.batch import Batch
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.metrics.running_means import RunningMeans
from dltool.tasks.task import Task


def evaluate(
    task: Task,
    batches: Iterable[Batch],
    split: str = "",
    *,
    autocast: Any = contextlib.nullcontext(),  # noqa: B008 (has no state)
    between_batches: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The task's metrics over a split: sums over all batches, finished once at the end.

    The model is in evaluation mode meanwhile, and in its earlier mode afterwards, also if `between_batches` raises
    to interrupt.

    Args:
        task: The task to evaluate.
        batches: The batches of the split.
        split: Its name, for metrics that depend on it.
        autocast: The autocast context of the networks.
        between_batches: Called after each batch; may raise to interrupt.
    """
    sums = RunningMeans()
    task.split = split
    task.start_evaluation()
    with evaluation_mode(task.model), torch.no_grad(), autocast:
        for batch in batches:
            sums.update(task.evaluate(batch))
            between_batches()
    return task.finish_evaluation(sums.compute())
