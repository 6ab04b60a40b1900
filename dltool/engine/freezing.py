"""Parts of a model that stand still while the rest is trained."""

from collections.abc import Sequence
from types import MethodType

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from dltool.patterns import check_patterns, fits


def freeze(model: nn.Module, patterns: Sequence[str] | str) -> None:
    """Freeze what the patterns fit: it gets no gradient, and so no optimizer state, weight decay or penalty.

    A norm with running statistics whose parameters are all frozen stays in evaluation mode, whatever mode its network
    is in: statistics that followed new data would change a layer that is to stand still. One without parameters does
    where the patterns fit its statistics. Dropout inside a frozen part still drops.

    Raises:
        ConfigError: For a pattern that fits nothing.
    """
    patterns = [patterns] if isinstance(patterns, str) else patterns
    norms = {path: module for path, module in model.named_modules() if isinstance(module, _NormBase)}
    tensors: dict[str, Tensor] = dict(model.named_parameters(remove_duplicate=False))
    for path, norm in norms.items():
        tensors |= norm.named_buffers(path)
    check_patterns("model.freeze", patterns, tensors)
    frozen = {name for name in tensors if any(fits(pattern, name) for pattern in patterns)}
    for name in frozen:
        tensors[name].requires_grad_(False)
    for path, norm in norms.items():
        own = [name for name, _ in norm.named_parameters(path)] or [name for name, _ in norm.named_buffers(path)]
        if own and frozen.issuperset(own):
            keep_in_evaluation(norm)


def keep_in_evaluation(module: nn.Module) -> None:
    """Evaluation mode for good: a network's train() asks each module to change, and this one no longer does.

    So it holds wherever a network is set to training, and in a deep copy, to which Python rebinds the method.
    """
    module.eval()
    module.train = MethodType(stay, module)  # type: ignore[method-assign]


def stay(module: nn.Module, mode: bool = True) -> nn.Module:
    """In place of nn.Module.train."""
    del mode
    return module
