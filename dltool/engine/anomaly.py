"""Finds the operation that produces the first NaN or infinity, and the line of code that called it."""

import contextlib
import math
import re
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dltool.core.errors import NonFiniteLossError
from dltool.core.package import PACKAGE
from dltool.engine.observer import Progress

TORCH = str(Path(torch.__file__).parent)
HINT = (
    "check that line for a logarithm, root or division of zero, or an overflow; "
    "then resume with trainer.detect_anomaly=false"
)
# These return memory that nothing has been written to yet.
UNINITIALIZED = ("empty", "new_empty", "resize_")


class AnomalyDetector(contextlib.AbstractContextManager[None]):
    """Checks the result of every operation of a step: forward, backward and in the optimizer.

    The operation blamed is the first that returns NaN without a NaN among its inputs, or an infinity with only
    finite inputs; scalar arguments such as the -inf of a mask count as inputs. Each autograd node of a forward pass
    is labelled with the module that made it, and torch's anomaly mode records the line, so that an operation of
    the backward pass is traced to the forward operation whose derivative it computes.

    Entered again around each step.

    Args:
        model: Its modules are named by their path, `model.layers.0`.
        progress: Gives the number of the step.
    """

    def __init__(self, model: nn.Module, progress: Progress) -> None:
        self.progress = progress
        self.paths: list[str] = []  # Paths of the modules that are being called, outermost first.
        self.guards = contextlib.ExitStack()
        for name, module in model.named_modules():
            path = f"model.{name}" if name else "model"
            module.register_forward_pre_hook(partial(self.enter_module, path))
            module.register_forward_hook(self.leave_module)

    def __enter__(self) -> None:
        self.paths.clear()
        self.guards.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # The anomaly mode prints tracebacks as warnings.
        self.guards.enter_context(torch.autograd.set_detect_anomaly(True, check_nan=False))
        self.guards.enter_context(ResultWatch(self.blame))

    def __exit__(self, *error: Any) -> None:
        self.guards.__exit__(*error)

    def enter_module(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.paths.append(path)

    def leave_module(self, module: nn.Module, inputs: tuple[Any, ...], outputs: Any) -> None:
        """Label the nodes between inputs and outputs that no inner module has labelled."""
        path = self.paths.pop()
        known = {t.grad_fn for t in tree_leaves(inputs) if isinstance(t, Tensor)}
        waiting: list[Any] = [t.grad_fn for t in tree_leaves(outputs) if isinstance(t, Tensor)]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in known and "module" not in node.metadata:
                node.metadata["module"] = path
                waiting += [source for source, _ in node.next_functions]

    def blame(self, operation: str, value: str) -> None:
        """Raise the error that names an operation, its module and its line."""
        node: Any = torch._C._current_autograd_node()
        if node is None:
            part, path, line = "", self.paths[-1] if self.paths else None, line_of(sys._getframe())
        else:
            part = f" in the backward pass of {node.name()}"
            path, line = node.metadata.get("module"), line_in(node.metadata.get("traceback_", []))
        places = ", ".join(place for place in (path, line) if place)
        raise NonFiniteLossError(
            f"the first non-finite value ({value}) came out of {operation}{part}{f' ({places})' if places else ''} "
            f"at step {self.progress.step}",
            HINT,
        )


class ResultWatch(TorchDispatchMode):
    """Calls `blame(operation, "nan" or "inf")` after the first operation that makes one."""

    def __init__(self, blame: Callable[[str, str], None]) -> None:
        super().__init__()
        self.blame = blame

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = tree_leaves((args, kwargs or {}))
        mutates = func._schema.is_mutable
        before = worst(inputs) if mutates else None  # Inputs that are overwritten must be checked first.
        outputs = func(*args, **(kwargs or {}))
        name = func._schema.name.replace("::", ".")
        if name.split(".")[1].startswith(UNINITIALIZED):
            return outputs
        after = worst([*tree_leaves(outputs), *inputs] if mutates else tree_leaves(outputs))
        if after is not None:
            got = before if mutates else worst(inputs)
            if got is None or (got, after) == ("inf", "nan"):
                self.blame(name, after)
        return outputs


def worst(values: list[Any]) -> str | None:
    """ "nan" if any tensor or number contains one, else "inf" if any contains one, else None."""
    found = None
    for value in values:
        if isinstance(value, Tensor):
            if not value.is_floating_point() or value.is_sparse or value.is_meta or torch.isfinite(value).all():
                continue
            is_nan = bool(torch.isnan(value).any())
        elif not isinstance(value, float) or math.isfinite(value):
            continue
        else:
            is_nan = math.isnan(value)
        if is_nan:
            return "nan"
        found = "inf"
    return found


def line_of(frame: FrameType | None) -> str | None:
    """The innermost line on the stack that is neither torch's nor this file's."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return shown(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def line_in(stack: list[str]) -> str | None:
    """The same for a stack kept as text, outermost line first."""
    for entry in reversed(stack):
        found = re.search(r'File "(.+?)", line (\d+)', entry)
        if found and is_users(found[1]):
            return shown(found[1], int(found[2]))
    return None


def is_users(filename: str) -> bool:
    return not filename.startswith((TORCH, __file__, "<"))


def shown(filename: str, line: int) -> str:
    """`models/mlp.py:31`: the path relative to the working directory or the package, if it is below one."""
    path = Path(filename)
    for folder in (Path.cwd(), PACKAGE.parent):
        if path.is_relative_to(folder):
            path = path.relative_to(folder)
            break
    return f"{path}:{line}"
