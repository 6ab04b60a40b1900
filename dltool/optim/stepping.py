"""torch's optimizers without torch._dynamo, the compiler's front end.

The first optimizer that is built imports it, for 1.2 s and 70 MB, though nothing is compiled: `add_param_group`,
`state_dict`, `load_state_dict` and `zero_grad` are wrapped to be left out of compiled code, and `step` asks for a
break in the compiled graph. Here they are called without their wrappers for as long as nobody else has imported it.
That touches what torch keeps to itself; where a release has it otherwise, torch's own way is taken.
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
CACHE = "__dynamo_disable"  # Where a wrapper (torch._compile._disable_dynamo) looks for what to call.


@cache
def keep_dynamo_out() -> None:
    """Have the wrapped methods call what they wrap until torch._dynamo is imported."""
    for name in WRAPPED:
        wrapper = getattr(Optimizer, name)
        method = getattr(wrapper, "__wrapped__", None)
        if method is not None and not hasattr(method, CACHE):
            setattr(method, CACHE, until_dynamo(wrapper, method))


def until_dynamo(wrapper: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Calls the method; once somebody has imported torch._dynamo, its wrapper, as torch has it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if DYNAMO not in sys.modules:
            return method(*args, **kwargs)
        if hasattr(method, CACHE):
            delattr(method, CACHE)
        return wrapper(*args, **kwargs)

    return call


def take_step(optimizer: Optimizer) -> None:
    """What `optimizer.step()` does, to the bit.

    Hooks, and the profiler's name for the step, are in the wrappers that are passed over; with either, torch's own
    `step` is called.
    """
    step = plain_step(type(optimizer))  # type: ignore[arg-type]
    if step is None or has_own_step(optimizer) or torch.autograd.profiler._is_profiler_enabled:
        optimizer.step()
        return
    with torch.no_grad():
        step(optimizer)


def has_own_step(optimizer: Optimizer) -> bool:
    """Whether this instance does more in a step than its class."""
    return bool(
        "step" in vars(optimizer)
        or optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
        or MODULE._global_optimizer_pre_hooks
        or MODULE._global_optimizer_post_hooks
    )


@cache
def plain_step(kind: type[Optimizer]) -> Callable[[Optimizer], Any] | None:
    """The `step` of a class below torch's two wrappers; None where they are not those that are known here.

    A wrapper of anybody else stays: it may do something of its own.
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
