"""The layers of networks and how they are connected, found in a forward pass, for a diagram."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dltool.core.spec import DataSpec
from dltool.figures.diagram import INPUT, Layer, Network
from dltool.introspection.forward_memory import example_inputs
from dltool.layers.evaluation_mode import evaluation_mode

MERGING = ("add", "add_", "__add__", "__radd__", "__iadd__", "cat", "concat")
SOURCES = "_sources_in_diagram"  # The attribute of a tensor with the places of the layers that it comes from.
NUM_SHOWN = 12  # Layers of a network that are all shown; in larger ones, repeated groups are shown once.
LONGEST_GROUP = 16


class Connections(TorchFunctionMode):
    """Follows which layers' outputs reach which layers.

    Attributes:
        added: The place of a layer to those of earlier layers whose outputs are added to its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.added: dict[int, set[int]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        before = [found for tensor in tensors_in(args) if (found := sources(tensor))]
        output = func(*args, **(kwargs or {}))
        after = set().union(*before)
        if getattr(func, "__name__", "") in MERGING and len(after) > 1:
            last = max(after)
            self.added.setdefault(last, set()).update({max(found) for found in before} - {last})
            after = {last}
        if after:
            mark_sources(output, after)
        return output


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors_in(one)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def sources(tensor: Tensor) -> set[int]:
    return getattr(tensor, SOURCES, set())


def mark_sources(value: Any, places: set[int]) -> None:
    for tensor in tensors_in(value):
        setattr(tensor, SOURCES, set(places))


def networks_of(model: nn.Module, roles: Mapping[str, nn.Module], spec: DataSpec) -> list[Network]:
    """The networks that are trained by separate optimizers, or else the model as one network.

    Args:
        model: On the CPU.
        roles: Name to network, as the task has them.
        spec: Gives the shape of one sample.
    """
    layers, input_shape = all_layers(model, spec)
    members = {name: {id(module) for module in network.modules()} for name, network in roles.items()}
    parts = {
        name: [place for place, (module, _, _) in enumerate(layers) if id(module) in members[name]] for name in roles
    }
    if len(roles) < 2 or sum(map(len, parts.values())) < len(layers):
        parts = {"": list(range(len(layers)))}
    found = []
    for name, places in sorted(parts.items(), key=lambda part: part[1]):  # In the order of the computation.
        chosen = renumbered([layers[place][1] for place in places], places)
        first = layers[places[0]][2]
        simple = folded(chosen)
        shape = input_shape if name == "" and first != () else first
        found.append(Network(name, shape, collapsed(simple) if len(simple) > NUM_SHOWN else simple))
    return found


def all_layers(
    model: nn.Module, spec: DataSpec
) -> tuple[list[tuple[nn.Module, Layer, tuple[int, ...]]], tuple[int, ...]]:
    """Each call of a layer with the shape of its input, in order, and the shape of the model's input."""
    names = {module: name for name, module in model.named_modules()}
    found: list[tuple[nn.Module, Layer, tuple[int, ...]]] = []
    seen: set[nn.Module] = set()
    handles = []
    inputs = example_inputs(spec, next(model.parameters()).device)

    def note(module: nn.Module, args: Any, output: Any) -> None:
        before = set().union(*map(sources, tensors_in(args)))
        tensor = next(tensors_in(output), None)
        if tensor is None or isinstance(module, nn.Identity):
            return
        count = 0 if module in seen else sum(p.numel() for p in module.parameters())
        seen.add(module)
        kind, shape = type(module).__name__, tuple(tensor.shape[1:])
        layer = Layer(
            names[module], (kind,), shape, count, isinstance(module, nn.Linear), tuple(sorted(before or {INPUT}))
        )
        mark_sources(output, {len(found)})
        given = next(tensors_in(args), None)
        found.append((module, layer, () if given is None else tuple(given.shape[1:])))

    for module in model.modules():
        if not list(module.children()) and module is not model:
            handles.append(module.register_forward_hook(note))
    try:
        with evaluation_mode(model), torch.no_grad(), Connections() as connections:
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    layers = [
        (module, layer._replace(added=tuple(sorted(connections.added.get(place, ())))), shape)
        for place, (module, layer, shape) in enumerate(found)
    ]
    return layers, tuple(inputs[0].shape[1:])


def renumbered(layers: Sequence[Layer], places: Sequence[int]) -> list[Layer]:
    """Some layers with the places of each other; what comes from elsewhere is the input."""
    new = {old: place for place, old in enumerate(places)}
    return [
        layer._replace(
            sources=tuple(sorted({new.get(source, INPUT) for source in layer.sources})),
            added=tuple(sorted({new.get(source, INPUT) for source in layer.added})),
        )
        for layer in layers
    ]


def folded(layers: Sequence[Layer]) -> list[Layer]:
    """Layers without weights, and norms, join the layer before them if they alone read it and keep its size."""
    uses = [0] * len(layers)
    for layer in layers:
        for source in (*layer.sources, *layer.added):
            if source != INPUT:
                uses[source] += 1
    result: list[Layer] = []
    new: dict[int, int] = {INPUT: INPUT}
    for place, layer in enumerate(layers):
        before = layer.sources[0]
        simple = not layer.num_parameters or "Norm" in layer.kinds[0]
        joins = (
            simple and len(layer.sources) == 1 and before == place - 1 and result and uses[before] == 1
            and not layers[before].added and math.prod(layer.shape) == math.prod(result[-1].shape)
        )  # fmt: skip
        added = tuple(new[source] for source in layer.added)
        if not joins:
            new[place] = len(result)
            result.append(layer._replace(sources=tuple(new[source] for source in layer.sources), added=added))
            continue
        new[place] = new[before]
        one = result[-1]
        shape = layer.shape if len(layer.shape) > len(one.shape) else one.shape
        count = one.num_parameters + layer.num_parameters
        result[-1] = one._replace(kinds=one.kinds + layer.kinds, shape=shape, num_parameters=count, added=added)
    return result


def collapsed(layers: Sequence[Layer]) -> list[Layer]:
    """Groups of layers that follow each other with equal sizes and connections, shown once with their number."""
    result: list[Layer] = []
    new: dict[int, int] = {INPUT: INPUT}
    place = 0
    while place < len(layers):
        length, times = longest_repeat(layers, place)
        start = len(result)
        for offset in range(length * times):
            new[place + offset] = start + offset % length
        for offset in range(length):
            layer = layers[place + offset]
            before, added = (tuple(new[s] for s in part) for part in (layer.sources, layer.added))
            repeats = (times, length) if offset == 0 else (1, 1)
            result.append(layer._replace(sources=before, added=added, repeats=repeats))
        place += length * times
    return result


def longest_repeat(layers: Sequence[Layer], place: int) -> tuple[int, int]:
    """Length and number of the repetitions from a place on that save the most layers; (1, 1) if none does."""
    best, saved = (1, 1), 0
    for length in range(1, LONGEST_GROUP + 1):
        times = 1
        while repeats(layers, place, length, times):
            times += 1
        if (times - 1) * length > saved:
            best, saved = (length, times), (times - 1) * length
    return best


def repeats(layers: Sequence[Layer], place: int, length: int, times: int) -> bool:
    """Whether the group of layers that begins at a place follows again after some repetitions.

    Its sources are as many layers before it, or, but for those of its first layer, the same layer before the whole
    group, such as the encoder's output that each block of a decoder attends to.
    """
    shift = times * length
    if place + shift + length > len(layers):
        return False
    for own in range(place, place + length):
        one, other = layers[own], layers[own + shift]
        if (one.kinds, one.shape, one.num_parameters) != (other.kinds, other.shape, other.num_parameters):
            return False
        if (len(one.sources), len(one.added)) != (len(other.sources), len(other.added)):
            return False
        for source, its in zip(one.sources + one.added, other.sources + other.added, strict=True):
            if its - source != shift and (own == place or source != its or source >= place):
                return False
    return True
