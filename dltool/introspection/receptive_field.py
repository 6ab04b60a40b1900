"""Receptive fields: which square of the image a unit of a layer can see, for any graph of layers.

For a chain of layers with kernel k, stride s, padding p and dilation d, a unit sees `size` pixels along an axis, and
its neighbour's field begins `jump` pixels further (Araujo et al. 2019, Distill, "Computing receptive fields of
convolutional neural networks"):

    size += (k - 1) · d · jump,    start -= p · jump,    jump *= s,    from size = jump = 1, start = 0.

Here each tensor carries these numbers from operation to operation, so that branches are covered too: where two meet,
the unit sees what either of them saw. Only shapes are needed, so a model on the "meta" device will do. Norms count
as working on each pixel by itself, although those over groups and layers look at means of all pixels.
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
    """In here, forward passes of images `(1, C, H, W)` that are marked are followed; see field_of.

    What cannot be followed counts as seeing all. But a module with a `kernel_size` whose own code cannot be followed
    (a layer that is locally connected, say) is taken at its word: it is a window of that size, with its `stride`,
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
    """Path of each module that gives maps `(B, C, H, W)` to what their units see, in the order of the computation.

    Of a module that is called several times, the last call counts. A model of rows has none.
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
    """Computes as ever, and gives each result the field that follows from those of the operands."""

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
