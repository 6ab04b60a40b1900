"""From an `optim` option to one torch optimizer per role: parameter groups, and how roles differ."""

import inspect
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch import nn

from dltool.errors import ConfigError
from dltool.hints import nearest
from dltool.optim.loading import keep_kernels, restore_strides

ParamGroups = list[dict[str, Any]]


class Optimizer:
    """What every `optim` option shares: which parameters it gets, and how roles differ.

    Args:
        factory: The option with its fields, such as `partial(adam, lr=1e-3)`. It is called with the
            parameter groups and, where its second positional argument is called `module`, with the network.
        decay_bias_norm: Decay every parameter. False leaves out the tensors of fewer than two dimensions,
            the biases and the weights of normalisation layers (Goyal et al., 2017, section 5.3).
        roles: Fields of the option that differ for one role. `{discriminator: {lr: 4e-4}}` is the
            two time-scale update rule (Heusel et al., 2017, arXiv:1706.08500).
    """

    def __init__(
        self,
        factory: partial[torch.optim.Optimizer],
        *,
        decay_bias_norm: bool = True,
        roles: dict[str, dict[str, bool | int | float | list[float]]] | None = None,
    ) -> None:
        self.factory = factory
        self.decay_bias_norm = decay_bias_norm
        self.roles = roles or {}
        self.name = factory.func.__name__
        arguments = inspect.signature(factory.func).parameters
        self.takes_module = "module" in arguments
        self.fields = [name for name, argument in arguments.items() if argument.kind is argument.KEYWORD_ONLY]

    def check_roles(self, roles: Iterable[str]) -> None:
        """Check the names in `roles` against those of the task; build() sees one role and cannot.

        Raises:
            ConfigError: For a role that the task does not have.
        """
        known = list(roles)
        for role in self.roles:
            if role not in known:
                message = f"optim.roles.{role}: the task has no role {role!r}; its roles are {', '.join(known)}"
                raise ConfigError(message, did_you_mean("optim.roles.", role, known))

    def build(self, role: str, module: nn.Module) -> torch.optim.Optimizer:
        """Make the optimizer of one role's trainable parameters.

        `module` must be on its device and of its final dtype already: Adagrad makes its state here, and
        the fused kernel is chosen here. Each group gets "initial_lr", which schedules multiply.

        Raises:
            ConfigError: If no parameter is trainable, if `roles` sets a field that the option lacks, or if
                torch refuses a value or the option refuses the network.
        """
        fields = {name: plain(value) for name, value in {**self.factory.keywords, **self.overrides(role)}.items()}
        arguments = (self.parameter_groups(role, module), *((module,) if self.takes_module else ()))
        try:
            optimizer = self.factory.func(*arguments, **fields)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"optim={self.name} cannot be built for the role {role!r}: {error}") from error
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        optimizer.register_load_state_dict_pre_hook(keep_kernels)
        optimizer.register_load_state_dict_post_hook(restore_strides)
        return optimizer

    def overrides(self, role: str) -> dict[str, Any]:
        """The fields that `roles` sets for this role."""
        overrides = self.roles.get(role, {})
        for name in overrides:
            if name not in self.fields:
                message = f"optim.roles.{role}.{name}: {self.name} has no {name}; it has {', '.join(self.fields)}"
                raise ConfigError(message, did_you_mean(f"optim.roles.{role}.", name, self.fields))
        return overrides

    def parameter_groups(self, role: str, module: nn.Module) -> ParamGroups:
        """The trainable parameters in one group, or in two where biases and norms are not decayed."""
        trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
        if not trainable:
            raise ConfigError(
                f"the role {role!r} has no trainable parameter for optim={self.name}",
                "optim=none is for a task without gradients; otherwise unfreeze or give the model a layer",
            )
        if self.decay_bias_norm:
            return [{"params": trainable}]
        if "weight_decay" not in self.fields:
            message = f"optim.decay_bias_norm=false: {self.name} has no weight decay to keep off biases and norms"
            raise ConfigError(message, "optim.decay_bias_norm=true")
        matrices = [parameter for parameter in trainable if parameter.ndim >= 2]
        vectors = [parameter for parameter in trainable if parameter.ndim < 2]
        groups: ParamGroups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]


def plain(value: Any) -> Any:
    """The value as torch wants it: a tuple for YAML's list, of floats, since Adam refuses betas of 0 and 0.9."""
    if isinstance(value, (list, tuple)):
        return tuple(float(item) if isinstance(item, int) else item for item in value)
    return value


def did_you_mean(prefix: str, word: str, known: list[str]) -> str | None:
    near = nearest(word, known)
    return f"did you mean {prefix}{near}?" if near else None
