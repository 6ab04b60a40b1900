"""From an `optim` option to one torch optimizer per role, with its parameter groups and role-specific settings."""

import inspect
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.numerals import counted
from dltool.core.patterns import check_patterns, fits
from dltool.declarations.component import Positive, requires
from dltool.optim.loading import keep_kernels, restore_strides
from dltool.optim.stepping import keep_dynamo_out

ParamGroups = list[dict[str, Any]]


has_no_weight_decay = requires(
    lambda config: config.optim.decay_bias_norm,
    "optim.decay_bias_norm=false: {optim.name} has no weight decay that could exclude biases and norms",
    hint="optim.decay_bias_norm=true",
)

needs_unclipped_gradients = requires(
    lambda config: config.trainer.clip_norm is None and config.trainer.clip_value is None,
    "trainer.clip_norm and trainer.clip_value change the gradients, but optim={optim.name} needs them unchanged",
    hint="trainer.clip_norm=null trainer.clip_value=null",
)


class Optimizer:
    """The settings that every `optim` option shares: parameter groups, and differences between roles.

    Args:
        factory: The option with its fields, such as `partial(adam, lr=1e-3)`. It is called with the
            parameter groups and, where its second positional argument is called `module`, with the network.
        decay_bias_norm: Decay every parameter. False excludes the tensors of fewer than two dimensions,
            the biases and the weights of normalisation layers (Goyal et al., 2017, section 5.3).
        roles: Fields of the option that differ for one role. `{discriminator: {lr: 4e-4}}` is the
            two time-scale update rule (Heusel et al., 2017, arXiv:1706.08500).
        lr_factors: Patterns over the names of the model's parameters (dltool.core.patterns), each with a factor of the
            learning rate, throughout its schedule; the first matching pattern applies. `{features: 0.1}` is an instance
            of discriminative fine-tuning (Howard and Ruder, 2018, arXiv:1801.06146, section 3.1).
    """

    def __init__(
        self,
        factory: partial[torch.optim.Optimizer],
        *,
        decay_bias_norm: bool = True,
        roles: dict[str, dict[str, bool | int | float | list[float]]] | None = None,
        lr_factors: dict[str, Positive[float]] | None = None,
    ) -> None:
        self.factory = factory
        self.decay_bias_norm = decay_bias_norm
        self.roles = roles or {}
        self.lr_factors = lr_factors or {}
        self.name = factory.func.__name__
        arguments = inspect.signature(factory.func).parameters
        self.takes_module = "module" in arguments
        self.fields = [name for name, argument in arguments.items() if argument.kind is argument.KEYWORD_ONLY]

    def check_roles(self, roles: Iterable[str]) -> None:
        """Check the names in `roles` against those of the task, which build() cannot: it sees one role only.

        Raises:
            ConfigError: If the task does not have a role.
        """
        known = list(roles)
        for role in self.roles:
            if role not in known:
                message = f"optim.roles.{role}: the task has no role {role!r}; its roles are {', '.join(known)}"
                raise ConfigError(message, did_you_mean("optim.roles.", role, known))

    def build(self, role: str, module: nn.Module, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Build the optimizer of one role's trainable parameters.

        `module` must already be on its device with its final dtype: Adagrad creates its state here, and
        the fused kernel is chosen here. Each group gets "initial_lr", which schedules multiply. A group whose rate has
        a factor also gets it as "lr_factor", with its pattern.

        Args:
            role: Its name.
            module: Its network.
            model: The whole model, which names the parameters; null means the network itself.

        Raises:
            ConfigError: If no parameter is trainable, if `roles` sets a field that the option lacks, if a pattern of
                `lr_factors` matches no parameter, or if torch refuses a value or the option refuses the network.
        """
        fields = {name: plain(value) for name, value in {**self.factory.keywords, **self.overrides(role)}.items()}
        names = {parameter: name for name, parameter in (model or module).named_parameters()}
        check_patterns("optim.lr_factors", self.lr_factors, list(names.values()))
        keep_dynamo_out()
        arguments = (self.parameter_groups(role, module, names), *((module,) if self.takes_module else ()))
        try:
            optimizer = self.factory.func(*arguments, **fields)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"optim={self.name} cannot be built for the role {role!r}: {error}") from error
        for group in optimizer.param_groups:
            group["lr"] *= group.get("lr_factor", 1.0)  # Only now: muon has two rates of its own.
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

    def parameter_groups(self, role: str, module: nn.Module, names: Mapping[nn.Parameter, str]) -> ParamGroups:
        """The trainable parameters in a group for each rate, each in two where biases and norms are not decayed."""
        trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
        if not trainable:
            raise ConfigError(
                f"the role {role!r} has no trainable parameter for optim={self.name}",
                "all are frozen; 'model.freeze=[]' trains all of them"
                if any(True for _ in module.parameters())
                else "give the model a layer with parameters",
            )
        groups = self.groups_by_rate(trainable, names)
        if self.decay_bias_norm:
            return groups
        if "weight_decay" not in self.fields:
            message = (
                f"optim.decay_bias_norm=false: {self.name} has no weight decay that could exclude biases and norms"
            )
            raise ConfigError(message, "optim.decay_bias_norm=true")
        halves: ParamGroups = []
        for group in groups:
            matrices = [parameter for parameter in group["params"] if parameter.ndim >= 2]
            vectors = [parameter for parameter in group["params"] if parameter.ndim < 2]
            halves += [group | {"params": matrices}, group | {"params": vectors, "weight_decay": 0.0}]
        return [half for half in halves if half["params"]]

    def groups_by_rate(self, trainable: list[nn.Parameter], names: Mapping[nn.Parameter, str]) -> ParamGroups:
        """First the parameters whose rate has no factor, then those of each pattern."""
        groups: dict[str | None, dict[str, Any]] = {None: {"params": []}}
        for pattern, factor in self.lr_factors.items():
            groups[pattern] = {"params": [], "lr_factor": factor, "pattern": pattern}
        for parameter in trainable:
            first = next((pattern for pattern in self.lr_factors if fits(pattern, names[parameter])), None)
            groups[first]["params"].append(parameter)
        return [group for group in groups.values() if group["params"]]


def describe_factors(factors: Mapping[str, float], optimizers: Iterable[torch.optim.Optimizer]) -> str:
    """The factors of `lr_factors` as text, with the number of parameters of each in all roles' optimizers."""
    counts = dict.fromkeys(factors, 0)
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        if "pattern" in group:
            counts[group["pattern"]] += sum(parameter.numel() for parameter in group["params"])
    return ", ".join(f"{factors[p]:g} × optim.lr for {p} ({counted(n, 'parameter')})" for p, n in counts.items())


def plain(value: Any) -> Any:
    """The value as torch needs it: a tuple of floats for YAML's list, since Adam refuses betas of 0 and 0.9."""
    if isinstance(value, (list, tuple)):
        return tuple(float(item) if isinstance(item, int) else item for item in value)
    return value


def did_you_mean(prefix: str, word: str, known: list[str]) -> str | None:
    near = nearest(word, known)
    return f"did you mean {prefix}{near}?" if near else None
