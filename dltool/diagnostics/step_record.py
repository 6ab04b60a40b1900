"""What one step does to a model of two numbers: the update of each, and its effective rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dltool.optim.effective_rates import effective_rates

MOST = 2  # Numbers of the model.


@dataclass(frozen=True)
class StepRecord:
    """A step that has begun.

    Attributes:
        model: The model.
        step: The number of steps before it.
        optimizers: Those of the training.
        parameters: Copies of the parameters before the step.
    """

    model: nn.Module
    step: int
    optimizers: Sequence[torch.optim.Optimizer]
    parameters: dict[str, Tensor]

    @classmethod
    def before(cls, model: nn.Module, step: int, optimizers: Sequence[torch.optim.Optimizer]) -> "StepRecord | None":
        """Begin a step; None for a model of more than two numbers."""
        parameters = dict(model.named_parameters())
        if sum(parameter.numel() for parameter in parameters.values()) > MOST:
            return None
        return cls(model, step, optimizers, {name: one.detach().clone() for name, one in parameters.items()})

    def after(self) -> dict[str, Any]:
        """The record of the step: "step", "updates", and "rates" if the optimizer has a rate for each number."""
        changed = dict(self.model.named_parameters())
        updates = {
            name: (changed[name].detach().double() - before.double()).flatten().tolist()
            for name, before in self.parameters.items()
        }
        return {"step": self.step, "updates": updates, **self._rates(changed)}

    def _rates(self, parameters: dict[str, nn.Parameter]) -> dict[str, Any]:
        if len(self.optimizers) != 1 or (found := effective_rates(self.optimizers[0])) is None:
            return {}
        groups = self.optimizers[0].param_groups
        by_id = {id(one): rate for one, rate in zip((p for g in groups for p in g["params"]), found, strict=True)}
        rates = {name: by_id[id(one)].flatten().tolist() for name, one in parameters.items() if id(one) in by_id}
        return {"rates": rates} if len(rates) == len(parameters) else {}
