"""Converts a nested state to named tensors and plain JSON, and back, without pickle.

{"step": 3, "exp_avg": tensor}  →  {"exp_avg": tensor},  {"step": 3, "exp_avg": {"__tensor__": "exp_avg"}}
"""

import math
from typing import Any

from torch import Tensor


def pack(state: Any, prefix: str = "") -> tuple[dict[str, Tensor], Any]:
    """Split a nest of dicts, lists, tuples, tensors and scalars into its tensors and a JSON tree.

    Raises:
        TypeError: If the nest contains any other type; names its path.
    """
    tensors: dict[str, Tensor] = {}
    return tensors, _pack(state, prefix or "state", tensors)


def _pack(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    match node:
        case Tensor():
            # A copy: a view would write its whole storage, and tied tensors could not be written at all.
            tensors[path] = node.detach().to("cpu", copy=True).contiguous()
            return {"__tensor__": path}
        case float() if not math.isfinite(node):
            return {"__float__": str(node)}
        case None | bool() | int() | float() | str():
            return node
        case dict():
            pairs = [[key, _pack(value, f"{path}.{key}", tensors)] for key, value in node.items()]
            if all(isinstance(key, str) and not key.startswith("__") for key in node):
                return dict(pairs)
            return {"__dict__": pairs}
        case tuple():
            return {"__tuple__": [_pack(value, f"{path}.{i}", tensors) for i, value in enumerate(node)]}
        case list():
            return [_pack(value, f"{path}.{i}", tensors) for i, value in enumerate(node)]
    raise TypeError(
        f"{path} is a {type(node).__name__}; a state may contain tensors, numbers, strings, lists and dicts"
    )


def unpack(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """The nested state that pack split."""
    match tree:
        case {"__tensor__": name}:
            return tensors[name]
        case {"__float__": text}:
            return float(text)
        case {"__tuple__": items}:
            return tuple(unpack(item, tensors) for item in items)
        case {"__dict__": pairs}:
            return {key: unpack(value, tensors) for key, value in pairs}
        case dict():
            return {key: unpack(value, tensors) for key, value in tree.items()}
        case list():
            return [unpack(item, tensors) for item in tree]
    return tree
