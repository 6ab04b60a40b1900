"""Rules that stop a training once the norm of the gradient or of the update is small.

Each examines one step in `stop.every_n_steps`, and reads a number from the device there.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from dltool.data.dataset import Dataset
from dltool.engine.stopping import Rule
from dltool.engine.updater import Updater
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.task import Task


class StepRule(Rule):
    """Satisfied when a quantity of a step is below a threshold."""

    remembers = ("value",)
    watches_steps = True

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.value: float | None = None

    @property
    def quantity(self) -> float | None:
        return self.value

    def reason(self) -> str | None:
        if self.value is None or not self.value < self.threshold:  # NaN is not.
            return None
        return f"the {self.subject} was {self.value:.3g} (stop.{self.name}={self.threshold})"


class BatchGradientNorm(StepRule):
    """The L2 norm of the gradient that a step used, over all roles, before clipping and without loss scaling.

    If a role takes several updates in a step, its last one counts; with L-BFGS the last point that it evaluated.
    """

    name = "gradient_norm"
    subject = "norm of the mini-batch gradient"

    def __init__(self, updaters: Mapping[str, Updater], threshold: float) -> None:
        super().__init__(threshold)
        self.updaters = updaters
        self.norms: dict[str, Tensor] = {}

    def before_step(self) -> None:
        for role, updater in self.updaters.items():
            updater.on_gradient = partial(self.note, role)

    def note(self, role: str, parameters: list[Tensor]) -> None:
        self.norms[role] = get_total_norm([p.grad for p in parameters if p.grad is not None])

    def after_step(self) -> None:
        for updater in self.updaters.values():
            updater.on_gradient = None
        self.value = math.hypot(*(float(norm) for norm in self.norms.values()))


class FullGradientNorm(StepRule):
    """The L2 norm of the gradient of the objective over the whole training split, after a step.

    Computed in evaluation mode and without augmentation: dropout is off, running statistics do not change, and the
    norm is a function of the weights. It takes one epoch over the data each time. Each batch's loss is weighted by
    the count that it is averaged over; the parameters' `.grad` is not touched.
    """

    name = "gradient_norm"
    subject = "norm of the full gradient"

    def __init__(self, task: Task, data: Dataset, autocast: Any, threshold: float) -> None:
        super().__init__(threshold)
        self.task = task
        self.data = data
        self.autocast = autocast

    def after_step(self) -> None:
        with evaluation_mode(self.task.model):
            self.value = float(get_total_norm(self.gradient()))

    def gradient(self) -> list[Tensor]:
        """The gradient with respect to each trained parameter."""
        parameters = [p for p in self.task.model.parameters() if p.requires_grad]
        sums = [torch.zeros_like(parameter) for parameter in parameters]
        total: Tensor | int = 0
        for batch in self.data.evaluation("train"):
            with self.autocast:  # A loss that is a sum over the batch is a sum over the split here.
                mean, count, _ = self.task.loss(batch._replace(full_size=self.data.sizes["train"]))
            parts = torch.autograd.grad(mean * count, parameters, allow_unused=True, materialize_grads=True)
            torch._foreach_add_(sums, parts)
            total = total + count
        torch._foreach_div_(sums, total)
        return sums


class UpdateNorm(StepRule):
    """The L2 norm of the change of all trained parameters in one step."""

    name = "update_norm"
    subject = "norm of the update"

    def __init__(self, model: nn.Module, threshold: float) -> None:
        super().__init__(threshold)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.before: list[Tensor] = []

    def before_step(self) -> None:
        self.before = [parameter.detach().clone() for parameter in self.parameters]

    def after_step(self) -> None:
        after = [parameter.detach() for parameter in self.parameters]
        self.value = float(get_total_norm(torch._foreach_sub(after, self.before)))
        self.before = []
