"""The context for drawing samples without effect on the training."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dltool.core.randomness import seed_default_generators
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.task import Task


@contextmanager
def drawing_samples(task: Task, seed: int) -> Iterator[None]:
    """Evaluation mode, no gradients and seeded default generators; everything is restored afterwards.

    The mode is kept per module: a frozen batch norm inside a network in training mode stays in evaluation mode.
    """
    networks = {task.model, *task.roles.values()}
    parameter = next((p for network in networks for p in network.parameters()), torch.empty(0))
    device = parameter.device
    accelerators = [] if device.type == "cpu" else [device]
    with (
        torch.random.fork_rng(accelerators, device_type=device.type if accelerators else "cuda"),
        torch.no_grad(),
        contextlib.ExitStack() as modes,
    ):
        seed_default_generators(seed, device)
        for network in networks:
            modes.enter_context(evaluation_mode(network))
        yield
