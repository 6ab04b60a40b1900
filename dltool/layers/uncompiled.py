"""Calling a compiled network as it was before."""

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def uncompiled(network: nn.Module) -> Iterator[None]:
    """In this context a compiled network is called as it was before.

    Compiled code calls no hooks, and is compiled again for inputs of another shape.
    """
    compiled = {module: module._compiled_call_impl for module in network.modules() if module._compiled_call_impl}
    for module in compiled:
        module._compiled_call_impl = None
    try:
        yield
    finally:
        for module, implementation in compiled.items():
            module._compiled_call_impl = implementation
