"""Freezes parts of a model while the rest is trained."""

from collections.abc import Sequence
from types import MethodType

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from dltool.core.errors import ConfigError
from dltool.core.patterns import check_patterns, fits
from dltool.core.shell import setting

NOT = "!"


def freeze(model: nn.Module, patterns: Sequence[str] | str) -> None:
    """Freeze the parameters that match the patterns: no gradient, and so no optimizer state, weight decay or penalty.

    A norm with running statistics whose parameters are all frozen stays in evaluation mode, whatever mode its network
    is in: statistics that followed new data would change a frozen layer. A norm without parameters is frozen if the
    patterns match its statistics. Dropout inside a frozen part is still active.

    Args:
        model: Its parameters are frozen in place.
        patterns: In the syntax of dltool.core.patterns; `!fc` unfreezes what an earlier one froze, so that ["*","!fc"]
            trains `fc` alone.

    Raises:
        ConfigError: If a pattern matches nothing, or the first one begins with `!`.
    """
    patterns = [patterns] if isinstance(patterns, str) else patterns
    norms = {path: module for path, module in model.named_modules() if isinstance(module, _NormBase)}
    tensors: dict[str, Tensor] = dict(model.named_parameters(remove_duplicate=False))
    for path, norm in norms.items():
        tensors |= norm.named_buffers(path)
    check_patterns("model.freeze", [pattern.removeprefix(NOT) for pattern in patterns], tensors)
    if patterns and patterns[0].startswith(NOT):
        hint = setting("model.freeze", ["*", *patterns])
        raise ConfigError(f"model.freeze begins with {patterns[0]}, which unfreezes before anything is frozen", hint)
    frozen: set[str] = set()
    for pattern in patterns:
        fitting = {name for name in tensors if fits(pattern.removeprefix(NOT), name)}
        frozen = frozen - fitting if pattern.startswith(NOT) else frozen | fitting
    for name in frozen:
        tensors[name].requires_grad_(False)
    for path, norm in norms.items():
        own = [name for name, _ in norm.named_parameters(path)] or [name for name, _ in norm.named_buffers(path)]
        if own and frozen.issuperset(own):
            keep_in_evaluation(norm)


def keep_in_evaluation(module: nn.Module) -> None:
    """Keep a module in evaluation mode for good: its train() no longer changes the mode.

    This holds wherever a network is set to training, and in a deep copy, to which Python rebinds the method.
    """
    module.eval()
    module.train = MethodType(stay, module)  # type: ignore[method-assign]


def stay(module: nn.Module, mode: bool = True) -> nn.Module:
    """Replaces nn.Module.train; changes nothing."""
    del mode
    return module
