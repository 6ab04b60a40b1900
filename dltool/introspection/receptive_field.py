"""Theoretical receptive fields: the part of the image that affects a unit of a layer, for any graph of layers.

For a chain of layers with kernel k, stride s, padding p and dilation d, a unit's field has `size` pixels along an axis,
and its neighbour's field begins `jump` pixels further (Araujo et al. 2019, Distill, "Computing receptive fields of
convolutional neural networks"):

    size += (k - 1) · d · jump,    start -= p · jump,    jump *= s,    from size = jump = 1, start = 0.

Here each tensor carries these numbers from operation to operation, so that branches are covered too: where two meet,
the field is the union of theirs. Only shapes are needed, so a model on the "meta" device is enough. Norms count as
operations on each pixel by itself, although group and layer norms use means over all pixels.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dltool.core.spec import DataSpec
from dltool.introspection.field import ALL, Field, field_of, mark, windows
from dltool.introspection.field_rules import RULES, same_place


@contextmanager
def following_fields(model: nn.Module) -> Iterator[None]:
    """In this context, receptive fields are tracked in forward passes of marked images `(1, C, H, W)`; see field_of.

    The field after an unknown operation is the whole image. But if a module has a `kernel_size` and its own code
    cannot be tracked (such as a locally connected layer), it counts as a window of that size, with its `stride`,
    `padding` and `dilation`; and nn.Linear over the channels of `(B, H, W, C)` is a 1×1 convolution.
    """
    handles = [module.register_forward_hook(take_at_its_word) for module in model.modules()]
    try:
        with Following():
            yield
    finally:
        for handle in handles:
            handle.remove()


def receptive_fields(model: nn.Module, spec: DataSpec) -> dict[str, Field]:
    """Path of each module with an output `(B, C, H, W)` to its receptive field, in the order of the computation.

    If a module is called several times, the last call counts. Empty for a model whose inputs are not images.
    """
    fields: dict[str, Field] = {}
    if len(spec.input_shape) != 3:
        return fields
    device = next(model.parameters()).device

    def note(name: str) -> Callable[[nn.Module, Any, object], None]:
        def hook(_module: nn.Module, _inputs: Any, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and (field := field_of(output)):
                fields.pop(name, None)
                fields[name] = field

        return hook

    was_training = model.training
    with following_fields(model), torch.no_grad():
        handles = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if name]
        try:
            model.eval().forward(mark(torch.zeros(1, *spec.input_shape, device=device)))
        finally:
            model.train(was_training)
            for handle in handles:
                handle.remove()
    return fields


def take_at_its_word(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
    before, after = field_of(inputs[0]) if inputs else None, field_of(output)
    if before is None or before.axes is None or after != ALL or not isinstance(output, Tensor) or output.ndim != 4:
        return
    if isinstance(module, nn.Linear):
        if all(axis.dim < output.ndim - 1 for axis in before.axes):
            output._receptive_field = before  # type: ignore[attr-defined]
        return
    kernel = getattr(module, "kernel_size", None)
    others = [getattr(module, name, default) for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))]
    if isinstance(kernel, int | tuple) and all(isinstance(value, int | tuple) for value in others):
        output._receptive_field = before.through(*windows(kernel, *others))  # type: ignore[attr-defined]


class Following(TorchDispatchMode):
    """Computes as usual, and sets the field of each result from those of the operands."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        results = func(*args, **(kwargs or {}))
        sources = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and field_of(leaf)]
        if sources:
            rule = RULES.get(func._schema.name.removeprefix("aten::"), same_place)
            for result in tree_leaves(results):
                if isinstance(result, Tensor):
                    result._receptive_field = rule(sources, result, args)  # type: ignore[attr-defined]
        return results
