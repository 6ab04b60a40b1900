"""Measures a task on a held-out split."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import torch

from dltool.batch import Batch
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.metrics.running_means import RunningMeans
from dltool.tasks.task import Task


def evaluate(
    task: Task,
    batches: Iterable[Batch],
    *,
    autocast: Any = contextlib.nullcontext(),  # noqa: B008 (has no state)
    between_batches: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The task's metrics over a split: sums over all batches, finished once at the end.

    The model is in evaluation mode meanwhile, and back in its former one afterwards, also where
    `between_batches` raises to interrupt.
    """
    sums = RunningMeans()
    task.start_evaluation()
    with evaluation_mode(task.model), torch.no_grad(), autocast:
        for batch in batches:
            sums.add(task.evaluate(batch))
            between_batches()
    return task.finish_evaluation(sums.values())
