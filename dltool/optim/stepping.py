"""torch's optimizers without torch._dynamo, the compiler's front end.

The first optimizer that is built imports it, for 1.2 s and 70 MB, although nothing is compiled: `add_param_group`,
`state_dict`, `load_state_dict` and `zero_grad` are wrapped so as to be excluded from compiled code, and `step` causes a
graph break. Here they are called without their wrappers as long as nothing else has imported it.
This uses private parts of torch; where a release differs, torch's own way is taken.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.optim import Optimizer

DYNAMO = "torch._dynamo"
MODULE = sys.modules[Optimizer.__module__]
WRAPPED = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")
CACHE = "__dynamo_disable"  # Where a wrapper (torch._compile._disable_dynamo) looks for the function to call.


@cache
def keep_dynamo_out() -> None:
    """Make the wrapped methods call the original ones until torch._dynamo is imported."""
    for name in WRAPPED:
        wrapper = getattr(Optimizer, name)
        method = getattr(wrapper, "__wrapped__", None)
        if method is not None and not hasattr(method, CACHE):
            setattr(method, CACHE, until_dynamo(wrapper, method))


def until_dynamo(wrapper: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Call the method; once torch._dynamo has been imported, call its wrapper, as torch does."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if DYNAMO not in sys.modules:
            return method(*args, **kwargs)
        if hasattr(method, CACHE):
            delattr(method, CACHE)
        return wrapper(*args, **kwargs)

    return call


def take_step(optimizer: Optimizer) -> None:
    """The same as `optimizer.step()`, bitwise.

    Hooks, and the profiler's name for the step, are in the wrappers that are skipped; if either is used, torch's own
    `step` is called.
    """
    step = plain_step(type(optimizer))  # type: ignore[arg-type]
    if step is None or has_own_step(optimizer) or torch.autograd.profiler._is_profiler_enabled:
        optimizer.step()
        return
    with torch.no_grad():
        step(optimizer)


def has_own_step(optimizer: Optimizer) -> bool:
    """Whether the `step` of this instance differs from that of its class."""
    return bool(
        "step" in vars(optimizer)
        or optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
        or MODULE._global_optimizer_pre_hooks
        or MODULE._global_optimizer_post_hooks
    )


@cache
def plain_step(kind: type[Optimizer]) -> Callable[[Optimizer], Any] | None:
    """The `step` of a class without torch's two wrappers; None if the wrappers are not the known ones.

    A wrapper by other code stays: it may have an effect of its own.
    """
    step: Any = kind.step
    wrappers = []
    while getattr(step, "__wrapped__", None) is not None and is_torchs(step):
        wrappers.append(step.__code__.co_name)
        step = step.__wrapped__
    known = wrappers in (["wrapper", "_use_grad"], ["wrapper"], ["_use_grad"])
    return step if known else None


def is_torchs(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename == MODULE.__file__
